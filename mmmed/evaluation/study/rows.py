"""Comparisons, curves and ranks as rows of tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

from mmmed.evaluation.bootstrap import Estimate
from mmmed.evaluation.study.attainable import Attainable
from mmmed.evaluation.study.cell import Cell
from mmmed.evaluation.study.comparison import Comparison
from mmmed.evaluation.study.curve import Curve, alike, meeting
from mmmed.evaluation.study.gap import percentiles
from mmmed.evaluation.study.measured import Bench
from mmmed.evaluation.study.plan import Plan
from mmmed.evaluation.study.rank import rank
from mmmed.evaluation.study.resampled import MEASURES
from mmmed.evaluation.study.verdict import judge, sentence
from mmmed.evaluation.text import NAMES

Row = dict[str, Any]


def comparison_rows(
    comparisons: Sequence[Comparison], attainable: Attainable
) -> Iterator[tuple[Comparison, Row]]:
    """A row per comparison; `oracle` is what the best possible reader gains or loses."""
    for one in comparisons:
        other = one.other_place.to_row()
        oracle = None
        if one.kind in ("cost", "gain"):
            oracle = attainable.gap(*one.sets, measure=one.measure)
        row = {
            "kind": one.kind,
            "method": one.method,
            **one.place.to_row(),
            "other_method": one.other_method,
            **{f"other_{name}": other[name] for name in ("train", "rate", "pattern")},
            "measure": one.measure,
            **asdict(one.gap),
            "oracle": oracle,
        }
        yield one, row


def verdict_columns(
    rows: Sequence[tuple[Comparison, Row]], *, measure: str, plan: Plan
) -> list[Row]:
    """The rows sorted by kind, those of the headline measure with the verdict of their family.

    A family is all comparisons of one kind in that measure. Other measures stand beside with
    intervals and plain p values, and no verdict.
    """

    def family(pair: tuple[Comparison, Row]) -> tuple[str, bool]:
        return pair[0].kind, pair[0].measure != measure

    found: list[Row] = []
    for (_, aside), group in groupby(sorted(rows, key=family), key=family):
        members = list(group)
        if aside:
            found += [row for _, row in members]
            continue
        verdicts = judge([one for one, _ in members], plan)
        for (one, row), verdict in zip(members, verdicts, strict=True):
            told = asdict(verdict)
            told["seen_in_family"] = told.pop("seen")
            said = sentence(one, verdict, plan=plan, title=NAMES[measure], oracle=row["oracle"])
            found.append({**row, **told, "sentence": said})
    return found


def curve_rows(curves: Sequence[Curve], bench: Bench, *, level: float) -> Iterator[Row]:
    """Slope and area of every curve and measure; a slope is a gap, an area is a score."""
    for curve in curves:
        interval = {"slope": percentiles, "area": Estimate.interval}
        sides = {"slope": curve.slope(bench), "area": curve.area(bench)}
        place = curve.place.to_row()
        for measure in MEASURES:
            row: Row = {
                "method": curve.method,
                **{name: place[name] for name in ("cohort", "train", "protocol")},
                "rates": " ".join(map(str, curve.rates)),
                "measure": measure,
            }
            for name, measured in sides.items():
                mean = measured.mean[measure]
                low, high = interval[name](mean, level) or (None, None)
                value = mean.value if mean.value == mean.value else None
                row |= {name: value, f"{name}_low": low, f"{name}_high": high}
            yield row


def rank_rows(
    cells: Sequence[Cell], curves: Sequence[Curve], bench: Bench, *, measure: str
) -> Iterator[Row]:
    """How often each method is best in a place, and over the rates of a protocol."""
    compared = [cell for cell in cells if cell.place.table != "stratum"]
    for place, group in groupby(compared, key=lambda cell: cell.place):
        members = list(group)
        sets = bench.alike(*(cell.models for cell in members))
        if len(members) > 1 and sets[0]:
            pairs = zip(members, sets, strict=True)
            means = {cell.method: bench.measure(one).mean[measure] for cell, one in pairs}
            for name, found in rank(means).items():
                yield {"method": name, **place.to_row(), "of": "score", **asdict(found)}
    for together in meeting(curves):
        shared = alike(together, bench) if len(together) > 1 else None
        if shared:
            areas = {curve.method: curve.area(bench).mean[measure] for curve in shared}
            head = {**shared[0].place.to_row(), "rate": None}
            for name, found in rank(areas).items():
                yield {"method": name, **head, "of": "area", **asdict(found)}
