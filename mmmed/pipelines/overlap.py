"""Whether anybody of an external cohort is of the study's own: by what images and rows hold.

content   the SHA-256 of an item's file, or of its row in a table
telling   content that is one person's: an image always; the rows of a modality only where no two
          subjects of a cohort share one, as a row of two numbers may be anybody's
namesake  a subject whose id stands in both cohorts

Two sites may count their subjects alike, so a namesake with other content is someone else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from mmmed.errors import LeakageError
from mmmed.pipelines.preparation import Stocked

Contents = Mapping[str, Mapping[str, set[str]]]
"""Modality -> content -> the subjects that have it."""

FEWEST = 10
"""Namesakes whose rows all agree are the same people where there are as many as this."""


def require_strangers(own: Stocked, external: Stocked) -> list[str]:
    """Raise where somebody is in both cohorts; what is worth knowing otherwise, in sentences.

    Args:
        own: the cohort that models are made from.
        external: the cohort on which they are tested.

    Raises:
        LeakageError: content that is one person's is in both, or all namesakes have the same rows.
    """
    ours, theirs = _contents(own), _contents(external)
    untelling = []
    for name, contents in theirs.items():
        vectors = external.cohort.kinds[name] == "vector"
        if vectors and not (_apart(contents) and _apart(ours[name])):
            untelling.append(name)
            continue
        both = sorted(contents.keys() & ours[name].keys())
        if both:
            raise _leak(
                own, external, name, ours[name][both[0]], contents[both[0]], count=len(both)
            )
    both_ids = sorted(_subjects(own) & _subjects(external))
    if untelling and _same_people(both_ids, untelling, ours, theirs):
        raise LeakageError(
            f"external cohort {external.cohort.name}: its {len(both_ids)} subjects whose ids stand "
            f"in {own.cohort.name} too have the same {', '.join(untelling)} there; name a cohort "
            "of other people"
        )
    said = [
        f"subjects share rows of {name}, so by {name} nobody can be recognised in both cohorts"
        for name in untelling
    ]
    if both_ids:
        said.append(
            f"{len(both_ids)} subject ids stand in {own.cohort.name} too, with other content, such "
            f"as {both_ids[0]}; they are taken for other people"
        )
    return said


def _contents(stocked: Stocked) -> Contents:
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for case, mine in stocked.shelf.items.items():
        for name, items in mine.items():
            for item in items:
                found[name][item.digest].add(stocked.shelf.subject[case])
    return found


def _apart(contents: Mapping[str, set[str]]) -> bool:
    return all(len(subjects) == 1 for subjects in contents.values())


def _subjects(stocked: Stocked) -> set[str]:
    return set(stocked.shelf.subject.values())


def _same_people(both: list[str], names: list[str], ours: Contents, theirs: Contents) -> bool:
    """Whether rows that tell nobody apart agree in all of many namesakes, and differ among them."""
    if len(both) < FEWEST:
        return False
    mine, other = (_of_subjects(one, names) for one in (ours, theirs))
    agree = all(mine.get(subject) == other.get(subject) for subject in both)
    return agree and len({mine[subject] for subject in both if subject in mine}) > 1


def _of_subjects(contents: Contents, names: list[str]) -> dict[str, frozenset[tuple[str, str]]]:
    found: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for name in names:
        for content, subjects in contents[name].items():
            for subject in subjects:
                found[subject].add((name, content))
    return {subject: frozenset(rows) for subject, rows in found.items()}


def _leak(
    own: Stocked,
    external: Stocked,
    modality: str,
    ours: set[str],
    theirs: set[str],
    *,
    count: int,
) -> LeakageError:
    same = sorted(ours & theirs)
    who = same[0] if same else min(theirs)
    known = "" if same else f" as subject {min(ours)}"
    more = f", and {count - 1} more items with it" if count > 1 else ""
    return LeakageError(
        f"external cohort {external.cohort.name}: {modality} of subject {who} is in "
        f"{own.cohort.name} too{known}{more}; leave them out of one of the cohorts"
    )
