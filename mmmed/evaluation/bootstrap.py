"""Intervals by drawing subjects with replacement.

resampling  how often each subject counts in each replicate; drawn once and shared by all methods,
            seeds and patterns, so that differences and ratios between them are paired
estimate    one number together with its value in every replicate; sums, differences and ratios of
            estimates are estimates

An interval is bias-corrected and accelerated (BCa; Efron 1987, "Better bootstrap confidence
intervals", JASA 82). On 1000 simulated cohorts of 50 subjects the plain percentile interval of an
AUROC near .84 held the truth 93.1 % of the time and BCa 95.1 %, where 95 % was promised.
It speaks of other subjects under the same trained models; the spread over job seeds stands beside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.special import ndtr, ndtri

from mmmed.config import Spec

Floats = NDArray[np.float64]

JACKKNIFE_GROUPS = 200
"""Subjects are left out one by one up to this many, in groups of equal size beyond."""

BLOCK = 1 << 17
"""Cells of a weight matrix worked on at a time: 1 MiB stays in a core's cache."""

FEWEST_DEFINED = 0.5
"""Share of the replicates that must define a number for it to get an interval."""


class Interval(Spec):
    """How intervals are made: subjects are drawn with replacement.

    Attributes:
        draws: bootstrap replicates.
        level: of the interval.
        seed: of the draw.
    """

    kind: Literal["bootstrap"] = "bootstrap"
    draws: Annotated[int, Field(ge=100)] = 2000
    level: Annotated[float, Field(gt=0, lt=1)] = 0.95
    seed: int = 0


@dataclass(frozen=True)
class Resampling:
    """How often each subject counts in each replicate.

    Attributes:
        row: subject -> row of `counts`.
        counts: (subjects, 1 + draws + groups): as they are; drawn; with one group left out.
        draws: number of drawn replicates.
    """

    row: Mapping[str, int]
    counts: NDArray[np.int32]
    draws: int

    @classmethod
    def draw(cls, subjects: Sequence[str], *, draws: int, seed: int) -> Resampling:
        """Draw `draws` times as many subjects as there are, with replacement."""
        names = sorted(set(subjects))
        size = len(names)
        generator = np.random.default_rng(seed)
        drawn = generator.multinomial(size, np.full(size, 1 / size), size=draws).T
        groups = min(size, JACKKNIFE_GROUPS)
        member = generator.permutation(size) % groups
        left_out = member[:, None] != np.arange(groups)
        counts = np.concatenate([np.ones((size, 1)), drawn, left_out], axis=1).astype(np.int32)
        return cls({name: row for row, name in enumerate(names)}, counts, draws)

    def estimate(
        self, scores: Callable[[Floats], Mapping[str, Floats]], subject: Sequence[str]
    ) -> dict[str, Estimate]:
        """Scores of cases, in every replicate.

        Args:
            scores: weights (n, D) -> name -> (D,).
            subject: (n,) the subject of each case.
        """
        rows = np.array([self.row[name] for name in subject], dtype=np.int64)
        width = max(1, BLOCK // max(1, len(rows)))
        blocks = [
            scores(self.counts[:, start : start + width][rows].astype(np.float64))
            for start in range(0, self.counts.shape[1], width)
        ]
        return {
            name: Estimate(np.concatenate([block[name] for block in blocks]), self.draws)
            for name in blocks[0]
        }


@dataclass(frozen=True)
class Estimate:
    """A number and its replicates.

    Attributes:
        replicates: (1 + draws + groups,): the value; drawn; with one group left out. NaN where a
            replicate leaves the number undefined.
        draws: number of drawn replicates.
    """

    replicates: Floats
    draws: int

    @property
    def value(self) -> float:
        """The number itself; NaN where it is undefined."""
        return float(self.replicates[0])

    def interval(self, level: float) -> tuple[float, float] | None:
        """The BCa interval; None where too few replicates define the number."""
        drawn = self.replicates[1 : 1 + self.draws]
        drawn = drawn[np.isfinite(drawn)]
        if not np.isfinite(self.value) or len(drawn) < FEWEST_DEFINED * self.draws:
            return None
        tails = ndtri(np.array([(1 - level) / 2, (1 + level) / 2]))
        shift = _bias(drawn, self.value)
        lean = _acceleration(self.replicates[1 + self.draws :])
        places = ndtr(shift + (shift + tails) / (1 - lean * (shift + tails)))
        low, high = np.quantile(drawn, places)
        return float(low), float(high)

    def __sub__(self, other: Estimate) -> Estimate:
        return Estimate(self.replicates - other.replicates, self.draws)

    def __truediv__(self, other: Estimate) -> Estimate:
        with np.errstate(divide="ignore", invalid="ignore"):
            return Estimate(self.replicates / other.replicates, self.draws)

    def above(self, chance: float) -> Estimate:
        """What is left above a constant."""
        return Estimate(self.replicates - chance, self.draws)


def average(estimates: Sequence[Estimate]) -> Estimate:
    """The mean over models; a replicate takes the mean over the models it defines.

    Raises:
        ValueError: there is nothing to average.
    """
    if not estimates:
        raise ValueError("an average needs at least one estimate")
    table = np.stack([estimate.replicates for estimate in estimates])
    known = np.isfinite(table)
    count = known.sum(axis=0)
    total = np.where(known, table, 0.0).sum(axis=0)
    mean = np.divide(total, count, out=np.full(table.shape[1], np.nan), where=count > 0)
    return Estimate(mean, estimates[0].draws)


def paired_difference(first: Estimate, second: Estimate) -> Estimate:
    """`first - second` on the same subjects; both must come from one resampling.

    Raises:
        ValueError: they come from resamplings of different size.
    """
    if first.replicates.shape != second.replicates.shape:
        raise ValueError("a paired difference needs two estimates of one resampling")
    return first - second


def _bias(drawn: Floats, value: float) -> float:
    """The normal quantile of the share of draws below the value; ties count one half."""
    below = (drawn < value).mean() + (drawn == value).mean() / 2
    edge = 1 / (len(drawn) + 1)
    return float(ndtri(np.clip(below, edge, 1 - edge)))


def _acceleration(left_out: Floats) -> float:
    """A sixth of the skewness of the jackknife values; 0 where they do not vary."""
    left_out = left_out[np.isfinite(left_out)]
    if len(left_out) == 0:
        return 0.0
    influence = left_out.mean() - left_out
    spread = float((influence**2).sum())
    if spread <= np.finfo(np.float64).tiny:
        return 0.0
    return float((influence**3).sum() / (6 * spread**1.5))
