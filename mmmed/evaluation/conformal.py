"""Split-conformal sets: the classes that cannot be ruled out at a stated level.

cell   the forced views of one pattern in the calibration part
score  1 - probability of the true class; a class stays in the set while its score is no larger
       than the (n + 1 - l)-th smallest of the cell, l = floor((n + 1) (1 - level))

Where cases are exchangeable with the cell's, a set holds the truth with probability >= level over
calibration parts; for one calibration part the share it will hold in the long run is distributed
as Beta(n + 1 - l, l) (Vovk 2012, "Conditional validity of inductive conformal predictors"). The
most probable class always stays in, so a set is never empty; that can only raise the share.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

from mmmed.errors import DataError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

ASSUMPTION = (
    "Holds for cases exchangeable with the calibration cases: same scanners, referral and disease "
    "mix. It does not hold where these shift, nor within a subgroup."
)

SLACK = 1e-9
"""1 / (1 - 0.9) is ten, whatever the last bit of the quotient says."""


@dataclass(frozen=True)
class Cell:
    """One pattern's calibration.

    Attributes:
        n: calibration cases.
        largest: the largest score a class of the set may have; None with too few cases.
        coverage: central 90 % range of the share of sets that will hold the truth; None likewise.
    """

    n: int
    largest: float | None
    coverage: tuple[float, float] | None


@dataclass(frozen=True)
class Conformal:
    """What turns probabilities into a set of classes.

    Attributes:
        level: the promised share, such as 0.9.
        classes: names, in the order of the probabilities.
        cells: pattern -> its calibration.
    """

    level: float
    classes: tuple[str, ...]
    cells: Mapping[str, Cell]

    def predict_set(self, probabilities: Sequence[float] | Floats, pattern: str) -> str:
        """`CN|AD`, `AD`, or `cannot tell: ...` where the pattern met too few cases."""
        cell = self.cells.get(pattern, Cell(0, None, None))
        if cell.largest is None:
            return f"cannot tell: too few calibration cases (n = {cell.n})"
        chances = np.asarray(probabilities, dtype=np.float64)
        kept = 1 - chances <= cell.largest
        kept[np.argmax(chances)] = True
        return "|".join(name for name, stays in zip(self.classes, kept, strict=True) if stays)

    def describe(self, pattern: str) -> str:
        """What a set under this pattern promises, in a sentence."""
        cell = self.cells.get(pattern, Cell(0, None, None))
        if cell.coverage is None:
            return f"{pattern}: cannot tell: too few calibration cases (n = {cell.n})."
        low, high = cell.coverage
        return (
            f"{pattern}: {self.level:.0%} sets from n = {cell.n} calibration cases; in the long "
            f"run {low:.1%} to {high:.1%} of them hold the truth (90 % range). {ASSUMPTION}"
        )

    def to_json(self) -> dict[str, Any]:
        """As plain values, for `model.json`."""
        return {
            "level": self.level,
            "classes": list(self.classes),
            "assumption": ASSUMPTION,
            "cells": {
                name: {
                    "n": cell.n,
                    "largest": cell.largest,
                    "coverage": list(cell.coverage) if cell.coverage else None,
                }
                for name, cell in self.cells.items()
            },
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Conformal:
        """Back from `to_json`, bit for bit.

        Raises:
            DataError: a key is missing or not what it must be.
        """
        try:
            cells = {str(name): _cell_from(cell) for name, cell in value["cells"].items()}
            return cls(float(value["level"]), tuple(map(str, value["classes"])), cells)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(
                f"conformal: cannot be read ({error!r}); save the package again"
            ) from error


def fit_conformal(
    probabilities: Floats,
    label: Integers,
    pattern: Sequence[str],
    *,
    level: float,
    classes: Sequence[str],
) -> Conformal:
    """Calibrate every pattern on its own forced views.

    Args:
        probabilities: (n, K), calibrated.
        label: (n,) index of the true class.
        pattern: (n,) what each view shows.
        level: the promised share, between 0 and 1.
        classes: names, in the order of the probabilities.
    """
    names = np.asarray(pattern, dtype=str)
    score = 1 - np.asarray(probabilities)[np.arange(len(label)), label]
    cells = {str(name): _cell(score[names == name], level) for name in np.unique(names)}
    return Conformal(level, tuple(classes), cells)


def fewest_cases(level: float) -> int:
    """Calibration cases a cell needs: ceil(1 / alpha) - 1, alpha = 1 - level."""
    return math.ceil(1 / (1 - level) - SLACK) - 1


def _cell(score: Floats, level: float) -> Cell:
    n = len(score)
    if n < fewest_cases(level):
        return Cell(n, None, None)
    excess = math.floor((n + 1) * (1 - level) + SLACK)
    largest = np.sort(score)[n - excess]  # the (n + 1 - l)-th smallest
    low, high = beta.ppf([0.05, 0.95], n + 1 - excess, excess)
    return Cell(n, float(largest), (float(low), float(high)))


def _cell_from(value: Mapping[str, Any]) -> Cell:
    coverage = value["coverage"]
    return Cell(
        n=int(value["n"]),
        largest=None if value["largest"] is None else float(value["largest"]),
        coverage=None if coverage is None else (float(coverage[0]), float(coverage[1])),
    )
