"""The comparisons of a study, kind by kind; each kind is one family of Holm.

methods   one method against another in one place
area      the same of the areas under their robustness curves
slope     the same of their slopes
cost      a method with less against itself complete: at a rate against the lowest rate of the
          protocol, under a pattern against the largest one
training  a method trained under a protocol against itself trained on complete data
gain      a method with all modalities against the hardest rival with fewer: of all methods the one
          that leaves the largest p. Modalities are worth something only if they beat every reader
          who does without, not merely the same model robbed of them (an intersection-union test,
          Berger 1982, Technometrics 24: no adjustment among the rivals)

Both sides stand on the same folds, seeds and cases; where one lacks some, the other's are left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product

from mmmed.evaluation.predictions import Model
from mmmed.evaluation.study.cell import Cell, Place
from mmmed.evaluation.study.curve import Curve, alike, meeting
from mmmed.evaluation.study.gap import NOTHING_SHARED, Gap, find_gap
from mmmed.evaluation.study.measured import Bench
from mmmed.evaluation.study.plan import Plan


@dataclass(frozen=True)
class Comparison:
    """First minus second.

    Attributes:
        kind: see the module.
        method: of the first.
        place: of the first.
        other_method: of the second.
        other_place: of the second.
        measure: what is compared.
        gap: how much.
        sets: the models of both, on the cases they share; empty for curves.
    """

    kind: str
    method: str
    place: Place
    other_method: str
    other_place: Place
    measure: str
    gap: Gap
    sets: tuple[tuple[Model, ...], tuple[Model, ...]] = ((), ())


def compare_cells(
    cells: Sequence[Cell], bench: Bench, *, measures: Sequence[str], plan: Plan
) -> Iterator[Comparison]:
    """Methods, cost and training, of every measure."""
    whole = [cell for cell in cells if cell.place.table != "stratum"]
    pairs = [*_methods(whole, plan), *_costs(whole), *_trainings(whole, plan)]
    for kind, first, second in pairs:
        sets = bench.alike(first.models, second.models)
        for measure in measures:
            yield _compared(kind, first, second, sets, bench, measure=measure, plan=plan)


def compare_curves(
    curves: Sequence[Curve], bench: Bench, *, measures: Sequence[str], plan: Plan
) -> Iterator[Comparison]:
    """Areas and slopes of methods over the same rates."""
    for group in meeting(curves):
        found = {curve.method: curve for curve in group}
        place = group[0].place
        for name, other in _opponents(list(found), plan):
            pair = alike([found[name], found[other]], bench)
            for kind, measure in product(("area", "slope"), measures):
                gap = _gap_of_curves(kind, pair, bench, measure=measure, plan=plan)
                yield Comparison(kind, name, place, other, place, measure, gap)


def compare_patterns(
    cells: Sequence[Cell], bench: Bench, *, measure: str, plan: Plan
) -> Iterator[Comparison]:
    """Gains: every method under the largest forced pattern against all methods under a smaller."""
    forced: dict[Place, list[Cell]] = defaultdict(list)
    for cell in cells:
        if cell.place.table == "forced":
            forced[replace(cell.place, pattern="")].append(cell)
    for members in forced.values():
        for larger, smaller in _nested({cell.place.pattern for cell in members}):
            rivals = [cell for cell in members if cell.place.pattern == smaller]
            for cell in members:
                if cell.place.pattern == larger:
                    yield _hardest(cell, rivals, bench, measure=measure, plan=plan)


def _hardest(
    cell: Cell, rivals: Sequence[Cell], bench: Bench, *, measure: str, plan: Plan
) -> Comparison:
    found = []
    for rival in rivals:
        sets = bench.alike(cell.models, rival.models)
        found.append(_compared("gain", cell, rival, sets, bench, measure=measure, plan=plan))
    return max(found, key=hardness)


def hardness(comparison: Comparison) -> float:
    """The one-sided p value of a gain; an opponent that cannot be met is the hardest of all."""
    gap = comparison.gap
    if gap.value is None or gap.p_claim is None:
        return 2.0
    return gap.p_claim / 2 if gap.value > 0 else 1 - gap.p_claim / 2


def _methods(cells: Sequence[Cell], plan: Plan) -> Iterator[tuple[str, Cell, Cell]]:
    places: dict[Place, dict[str, Cell]] = defaultdict(dict)
    for cell in cells:
        places[cell.place][cell.method] = cell
    for found in places.values():
        for name, other in _opponents(list(found), plan):
            yield "methods", found[name], found[other]


def _opponents(names: Sequence[str], plan: Plan) -> list[tuple[str, str]]:
    if plan.against is None:
        return list(combinations(names, 2))
    return [
        (name, plan.against) for name in names if name != plan.against and plan.against in names
    ]


def _costs(cells: Sequence[Cell]) -> Iterator[tuple[str, Cell, Cell]]:
    groups: dict[tuple[str, Place], list[Cell]] = defaultdict(list)
    for cell in cells:
        groups[cell.method, replace(cell.place, rate=-1.0, pattern="")].append(cell)
    for members in groups.values():
        complete = min(members, key=_lack)
        for cell in members:
            if _lack(cell) > _lack(complete):
                yield "cost", cell, complete


def _lack(cell: Cell) -> tuple[float, int]:
    """How much a cell lacks: the rate, or how few modalities are shown."""
    return cell.place.rate, -cell.place.pattern.count("+")


def _trainings(cells: Sequence[Cell], plan: Plan) -> Iterator[tuple[str, Cell, Cell]]:
    known = {(cell.method, cell.place): cell for cell in cells}
    for (method, place), cell in known.items():
        whole = known.get((method, replace(place, train=plan.complete)))
        if whole is not None and place.train != plan.complete:
            yield "training", cell, whole


def _nested(patterns: set[str]) -> list[tuple[str, str]]:
    """(larger, smaller) pairs of patterns: one that no other holds, and one that it holds."""
    parts = {name: set(name.split("+")) for name in sorted(patterns)}
    largest = [one for one in parts if not any(parts[one] < other for other in parts.values())]
    return [(one, two) for one in largest for two in parts if parts[one] > parts[two]]


def _gap_of_curves(
    kind: str, pair: Sequence[Curve] | None, bench: Bench, *, measure: str, plan: Plan
) -> Gap:
    if pair is None:
        return Gap(0, 0, 0, reason=NOTHING_SHARED)
    one, other = (curve.area(bench) if kind == "area" else curve.slope(bench) for curve in pair)
    return find_gap(one, other, measure, plan=plan)


def _compared(
    kind: str,
    first: Cell,
    second: Cell,
    sets: tuple[tuple[Model, ...], ...],
    bench: Bench,
    *,
    measure: str,
    plan: Plan,
) -> Comparison:
    one, other = map(bench.measure, sets)
    gap = find_gap(one, other, measure, plan=plan)
    return Comparison(
        kind,
        first.method,
        first.place,
        second.method,
        second.place,
        measure,
        gap,
        (sets[0], sets[1]),
    )
