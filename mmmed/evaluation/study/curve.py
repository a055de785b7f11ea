"""Robustness curves: a score over the rates of one test protocol, the same people losing scans.

slope  of the least-squares line over the rates: what losing all scans costs, per unit of rate
area   under the curve by trapezoids, over the span of the rates: the mean score of a clinic whose
       rate may be any of them
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mmmed.evaluation.predictions import Model
from mmmed.evaluation.study.cell import Cell, Place
from mmmed.evaluation.study.measured import Bench, Measured, combine


@dataclass(frozen=True)
class Curve:
    """One method over the rates of one protocol.

    Attributes:
        method: its name.
        place: of its lowest rate.
        rates: at least two, rising.
        sets: the models at each rate, on the same folds, seeds and cases at all of them.
    """

    method: str
    place: Place
    rates: tuple[float, ...]
    sets: tuple[tuple[Model, ...], ...]

    def slope(self, bench: Bench) -> Measured:
        """Per unit of rate."""
        return combine([bench.measure(models) for models in self.sets], slopes(self.rates))

    def area(self, bench: Bench) -> Measured:
        """Over the span of the rates."""
        return combine([bench.measure(models) for models in self.sets], trapezoids(self.rates))


def find_curves(cells: Sequence[Cell], bench: Bench) -> list[Curve]:
    """The curve of every method and protocol with two rates or more."""
    families: dict[tuple[str, Place], list[Cell]] = defaultdict(list)
    for cell in cells:
        if cell.place.table == "observed" and cell.place.rate >= 0:
            families[cell.method, replace(cell.place, rate=0.0)].append(cell)
    curves = []
    for (method, _), members in families.items():
        ordered = sorted(members, key=lambda cell: cell.place.rate)
        rates = tuple(cell.place.rate for cell in ordered)
        sets = bench.alike(*(cell.models for cell in ordered))
        if len(rates) > 1 and sets[0]:
            curves.append(Curve(method, ordered[0].place, rates, sets))
    return curves


def meeting(curves: Sequence[Curve]) -> list[list[Curve]]:
    """The curves that can be compared: of one protocol and the same rates."""
    groups: dict[tuple[Place, tuple[float, ...]], list[Curve]] = defaultdict(list)
    for curve in curves:
        groups[curve.place, curve.rates].append(curve)
    return list(groups.values())


def alike(curves: Sequence[Curve], bench: Bench) -> list[Curve] | None:
    """The same curves on the folds, seeds and cases that all of them have; None without any."""
    sets = bench.alike(*(models for curve in curves for models in curve.sets))
    if not sets[0]:
        return None
    width = len(curves[0].rates)
    return [
        replace(curve, sets=sets[place * width : (place + 1) * width])
        for place, curve in enumerate(curves)
    ]


def slopes(rates: Sequence[float]) -> list[float]:
    """What each score counts in the slope of the least-squares line."""
    centred = np.array(rates) - np.mean(rates)
    return [float(one) for one in centred / (centred**2).sum()]


def trapezoids(rates: Sequence[float]) -> list[float]:
    """What each score counts in the area over the span of the rates; they sum to 1."""
    steps = np.diff(rates)
    halves = np.append(steps, 0.0) + np.append(0.0, steps)
    return [float(one) for one in halves / (2 * steps.sum())]
