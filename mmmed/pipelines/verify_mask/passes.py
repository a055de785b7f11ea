"""Which test case shows what in which pass, so that few passes score every view.

In each pass every test case shows one pattern and hides the rest of what it owns; neighbours show
different ones, so that each view is scored while others hide what it shows. There are as many
passes as a case has patterns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mmmed.modality import Pattern
from mmmed.pipelines.plan import FoldPlan
from mmmed.pipelines.verify_mask.poison import Item
from mmmed.training.shelf import Shelf


@dataclass(frozen=True)
class Pass:
    """One assignment of patterns.

    Attributes:
        name: of the pass.
        shown: fold -> test case -> what it shows.
        hidden: what those cases own beyond it, and nobody shows.
        shared: what is hidden here and shown there, so that it stays as it is.
    """

    name: str
    shown: Mapping[str, Mapping[str, Pattern]]
    hidden: frozenset[Item]
    shared: frozenset[Item] = frozenset()


def plan_passes(folds: Sequence[FoldPlan], shelf: Shelf) -> list[Pass]:
    """The passes that score every view of a study.

    Folds whose test cases are not the same people share passes.

    Args:
        folds: of the study, one per fold and training; those of a fold ask for the same views.
        shelf: what each case owns.
    """
    asked = {one.fold.name: _patterns(one) for one in folds}
    passes = []
    for number, group in enumerate(_apart(asked), start=1):
        rounds = max(len(wanted) for fold in group for wanted in asked[fold].values())
        for turn in range(rounds):
            shown = {fold: _turned(asked[fold], turn) for fold in group}
            passes.append(_pass(f"{number}.{turn + 1}", shown, shelf))
    return passes


def items_of(shelf: Shelf, cases: Iterable[str]) -> list[Item]:
    """Everything that some cases own."""
    return [
        (modality, one.source)
        for case in cases
        for modality, items in shelf.items[case].items()
        for one in items
    ]


def crossed(shelf: Shelf, case: str) -> list[str]:
    """Of a case: pairs of modalities that are the same file, which no pattern can part.

    Rows of one table and tiles of one slide are items of their own, so they do not count.
    """
    homes: dict[object, str] = {}
    found = []
    for modality, source in items_of(shelf, [case]):
        if source.row is None and source.tile is None:
            first = homes.setdefault((source.path, source.files), modality)
            found += [f"{first} and {modality}"] if first != modality else []
    return found


def _patterns(plan: FoldPlan) -> dict[str, list[Pattern]]:
    """Case -> the patterns under which it is scored, in the order of the views."""
    found: dict[str, dict[Pattern, None]] = {}
    for view in plan.views:
        found.setdefault(view.case, {})[view.pattern] = None
    return {case: list(patterns) for case, patterns in found.items()}


def _apart(asked: Mapping[str, Mapping[str, object]]) -> list[list[str]]:
    """Folds in groups, no case in two folds of a group."""
    groups: list[tuple[set[str], list[str]]] = []
    for fold, cases in asked.items():
        for known, group in groups:
            if known.isdisjoint(cases):
                known |= cases.keys()
                group.append(fold)
                break
        else:
            groups.append((set(cases), [fold]))
    return [group for _, group in groups]


def _turned(asked: Mapping[str, Sequence[Pattern]], turn: int) -> dict[str, Pattern]:
    """One pattern per case; who has fewer of them has its last turns earlier."""
    return {
        case: wanted[(place + turn) % len(wanted)]
        for place, (case, wanted) in enumerate(sorted(asked.items()))
        if turn < len(wanted)
    }


def _pass(name: str, shown: Mapping[str, Mapping[str, Pattern]], shelf: Shelf) -> Pass:
    seen: set[Item] = set()
    unseen: set[Item] = set()
    for patterns in shown.values():
        for case, pattern in patterns.items():
            for item in items_of(shelf, [case]):
                (seen if item[0] in pattern else unseen).add(item)
    return Pass(name, shown, frozenset(unseen - seen), frozenset(unseen & seen))
