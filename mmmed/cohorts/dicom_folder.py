"""What a folder of DICOM in any nesting holds, and the series that are chosen of each DICOM Study.

subject   `sub-` and a digest of Patient ID and issuer; of the DICOM Study where there is no ID
session   `ses-` and the date of the DICOM Study, with a digest where the date is not enough
row       a DICOM Study; with `pairing`, scans of several within a window of days

`look` reads headers alone, chooses and pairs.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from types import MappingProxyType

from joblib import Parallel, delayed

from mmmed.cohorts.assembly import Row
from mmmed.cohorts.choice import Refused, Verdict, choose
from mmmed.cohorts.cohort import EXCLUDED, Aside
from mmmed.cohorts.dicom_cohort import DicomCohort
from mmmed.cohorts.pairing import paired
from mmmed.cohorts.visit import read_day
from mmmed.errors import DataError
from mmmed.progress import Listener, Silent
from mmmed.readers.dicom.facts import SeriesFacts
from mmmed.readers.dicom.header import Header
from mmmed.readers.dicom.index import Index, Series, read_index
from mmmed.readers.dicom.indexed import facts_of
from mmmed.readers.dicom.line import reason_line
from mmmed.readers.entities import case_id
from mmmed.readers.source import Source

DIGITS = 10
"""Of the digest that stands for a patient."""

WORTH_WORKERS = 4096
"""Files from which processes are started: some four seconds of work."""

_Key = tuple[str, str]


@dataclass(frozen=True)
class Looked:
    """What a folder holds, what was chosen of it, and which case that belongs to.

    Attributes:
        root: the folder.
        index: its series and what was set aside.
        rules: by which was chosen.
        facts: (Study UID, Series UID) -> what was chosen by.
        verdicts: (Study UID, Series UID) -> one per modality; none for a series in `unread`.
        refused: what reading chosen series told; empty where none was read.
        unread: (Study UID, Series UID) -> why its headers cannot be read.
        sessions: Study UID -> (`sub-...`, `ses-...`).
        rows: one per DICOM Study, after pairing, with age, sex and site as its headers state them.
        asides: what pairing made of scans that are not where they were found, and modalities of
            which there are series and none is fit.
    """

    root: Path
    index: Index
    rules: DicomCohort
    facts: Mapping[_Key, SeriesFacts]
    verdicts: Mapping[_Key, tuple[Verdict, ...]]
    refused: Refused
    unread: Mapping[_Key, str]
    sessions: Mapping[str, tuple[str, str]]
    rows: tuple[Row, ...]
    asides: tuple[Aside, ...]


def look(
    root: Path, rules: DicomCohort, *, jobs: int = 1, listener: Listener | None = None
) -> Looked:
    """Read the headers of a folder and choose the series of each DICOM Study.

    Args:
        root: the folder.
        rules: what each modality asks for.
        jobs: processes that may read.
        listener: hears of the tasks `index`, in files, and `choice`, in series.

    Raises:
        NothingReadable: there is no such folder.
    """
    tell = listener or Silent()
    index = read_index(root, jobs=jobs, progress=lambda done, all_: tell("index", done, all_))
    found = _all_described(index.series, rules, jobs=jobs, tell=tell)
    unread = {key: why for key, why in found.items() if isinstance(why, str)}
    facts = {key: one for key, one in found.items() if not isinstance(one, str)}
    return _looked(root, index, rules, facts=facts, unread=unread)


def chosen_again(looked: Looked, refused: Refused) -> Looked:
    """The same after some chosen series turned out to be refused.

    Args:
        looked: at a folder.
        refused: all that is known by now.
    """
    return _looked(
        looked.root,
        looked.index,
        looked.rules,
        facts=looked.facts,
        unread=looked.unread,
        refused=refused,
    )


def _looked(
    root: Path,
    index: Index,
    rules: DicomCohort,
    *,
    facts: Mapping[_Key, SeriesFacts],
    unread: Mapping[_Key, str],
    refused: Refused = MappingProxyType({}),
) -> Looked:
    verdicts: dict[_Key, tuple[Verdict, ...]] = {}
    for one in choose(list(facts.values()), rules, refused=refused):
        verdicts[one.study, one.uid] = (*verdicts.get((one.study, one.uid), ()), one)
    sessions = _sessions(index.series)
    rows = _rows(index.series, verdicts, sessions, _people(facts))
    asides = list(_unfit(verdicts, rows, sessions))
    if rules.pairing is not None:
        rows, moved = paired(rows, rules.pairing, root=root)
        asides = [*moved, *asides]
    return Looked(
        root=root,
        index=index,
        rules=rules,
        facts=MappingProxyType(dict(facts)),
        verdicts=MappingProxyType(verdicts),
        refused=refused,
        unread=MappingProxyType(dict(unread)),
        sessions=MappingProxyType(sessions),
        rows=tuple(rows),
        asides=tuple(asides),
    )


def _all_described(
    series: Sequence[Series], rules: DicomCohort, *, jobs: int, tell: Listener
) -> dict[_Key, SeriesFacts | str]:
    """The facts of every series; of one that no rule can want, those of the index alone."""
    bare = {_key(one): _bare(one) for one in series}
    found: dict[_Key, SeriesFacts | str] = {
        key: facts for key, facts in bare.items() if not _may_be_wanted(facts, rules)
    }
    wanted = [one for one in series if _key(one) not in found]
    workers = jobs if sum(len(one.headers) for one in wanted) > WORTH_WORKERS else 1
    work = Parallel(n_jobs=workers, return_as="generator")(map(delayed(_described), wanted))
    for one, described in zip(wanted, work, strict=True):
        found[_key(one)] = described
        tell("choice", len(found), len(series))
    return {key: found[key] for key in bare}


def _bare(series: Series) -> SeriesFacts:
    """What the index knows of a series."""
    return SeriesFacts(
        study=series.study,
        uid=series.uid,
        modality=series.modality,
        number=series.headers[0].number,
        description=series.description,
        images=sum(one.frames for one in series.headers),
    )


def _may_be_wanted(facts: SeriesFacts, rules: DicomCohort) -> bool:
    """False where the modality alone, as every first `require` asks it, speaks against a series."""
    first = [one.require[0].rule for one in rules.modalities.values()]
    return any(rule.asked != ("modality",) or rule.holds(facts) for rule in first)


def _described(series: Series) -> SeriesFacts | str:
    """The facts of a series under the UIDs of the index, or why there are none."""
    try:
        facts = facts_of(series)
    except Exception as error:  # noqa: BLE001 - the boundary of a series: the others go on
        text = str(error) if isinstance(error, DataError) else f"cannot be read ({error!r})"
        return reason_line(text, series.root)
    return replace(facts, study=series.study, uid=series.uid)


def _key(series: Series) -> _Key:
    return series.study, series.uid


def _sessions(series: Sequence[Series]) -> dict[str, tuple[str, str]]:
    """Study UID -> subject and session; two DICOM Studies never share both."""
    of_study: dict[str, list[Header]] = {}
    for one in series:
        of_study.setdefault(one.study, []).extend(one.headers)
    found: dict[str, tuple[str, str]] = {}
    for study, headers in sorted(of_study.items()):
        patient = next((one.identity for one in headers if one.identity), _digest(study))
        day = next((one.date for one in headers if one.date), "")
        found[study] = (f"sub-{patient[:DIGITS]}", f"ses-{day}")
    met = Counter(found.values())
    return {
        study: (subject, session)
        if met[subject, session] == 1 and session != "ses-"
        else (subject, f"{session}u{_digest(study)[:8]}")
        for study, (subject, session) in found.items()
    }


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _rows(
    series: Sequence[Series],
    verdicts: Mapping[_Key, tuple[Verdict, ...]],
    sessions: Mapping[str, tuple[str, str]],
    people: Mapping[str, Mapping[str, str]],
) -> list[Row]:
    """A row per DICOM Study, with the series that was chosen for each modality."""
    sources: dict[str, dict[str, tuple[Source, ...]]] = {study: {} for study in sessions}
    days: dict[str, date | None] = {}
    for one in series:
        days[one.study] = days.get(one.study) or _day(one.headers[0].date)
        for verdict in verdicts.get(_key(one), ()):
            if verdict.chosen:
                sources[one.study][verdict.modality] = (source_of(one),)
    return [
        Row(
            id=case_id(subject.removeprefix("sub-"), session.removeprefix("ses-")),
            subject=subject,
            session=session,
            cells=people.get(study, {}),
            sources=sources[study],
            day=days[study],
        )
        for study, (subject, session) in sessions.items()
    ]


def _people(found: Mapping[_Key, SeriesFacts]) -> dict[str, dict[str, str]]:
    """Study UID -> age, sex and site, of the first series that states each."""
    people: dict[str, dict[str, str]] = {}
    for (study, _), facts in found.items():
        age = "" if facts.age_years is None else f"{facts.age_years:.4g}"
        stated = {"age": age, "sex": facts.sex, "site": facts.site}
        known = people.setdefault(study, {})
        people[study] = {**{name: one for name, one in stated.items() if one}, **known}
    return people


def _unfit(
    verdicts: Mapping[_Key, Sequence[Verdict]],
    rows: Sequence[Row],
    sessions: Mapping[str, tuple[str, str]],
) -> Iterator[Aside]:
    """Modalities of which a DICOM Study has series, and none that is fit."""
    like: dict[str, dict[str, list[str]]] = {study: {} for study in sessions}
    for (study, _), told in verdicts.items():
        for one in told:
            if one.like:
                like[study].setdefault(one.modality, []).append(one.why)
    for row, study in zip(rows, sessions, strict=True):
        for modality, whys in like[study].items():
            if modality not in row.sources:
                reason = f"of {len(whys)} series none is fit: {whys[0].partition(': ')[2]}"
                yield Aside(row.id, row.subject, row.session, modality, EXCLUDED, reason)


def source_of(series: Series) -> Source:
    """A series as the source of an item."""
    return Source(series.paths[0], files=series.paths)


def _day(text: str) -> date | None:
    with suppress(DataError):
        return read_day(text, form="%Y%m%d") if text else None
    return None
