"""What a modality that a case lacks might make of its prediction, said in a few numbers.

now      the prediction under what the case shows
then     what it may become once the modality is there; many of them, weighted
stable   the decision is the same in a stated share of thens
bits     what then is expected to tell of the class beyond now (`foreseen.Law.bits`)
drift    mean of then less now: a reader that uses all it sees has 0, so it says how coherent a
         method is with itself; the bits do not depend on it
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.stats import multivariate_normal

from mmmed.evaluation.foreseen import SMALLEST_SPREAD, Floats, Integers, Law, chances, log_odds

LEVEL = 0.9
"""Of the interval."""

STABLE = 0.95
"""Share of thens whose decision must be today's for it to be called stable."""

Decide = Callable[[Floats], Integers]
"""Probabilities (n, K) to the index of the class decided for (n,)."""


@dataclass(frozen=True, eq=False)
class Thens:
    """What a prediction may become.

    Attributes:
        probabilities: (D, K).
        weight: (D,), its sum 1.
    """

    probabilities: Floats
    weight: Floats

    @classmethod
    def of_law(cls, law: Law, now: Floats, noise: Floats) -> Thens:
        """Draws of a law, each class's weighted by its probability now."""
        drawn = law.draws(now, noise)
        odds = drawn.reshape(-1, drawn.shape[-1])
        return cls(chances(odds), np.repeat(now / len(noise), len(noise)))

    @classmethod
    def alike(cls, probabilities: Floats) -> Thens:
        """Thens (D, K) that are equally likely."""
        return cls(probabilities, np.full(len(probabilities), 1 / len(probabilities)))

    def mean(self) -> Floats:
        """(K,)."""
        return self.weight @ self.probabilities

    def interval(self, k: int, level: float = LEVEL) -> tuple[float, float]:
        """The central interval of the probability of class k."""
        order = np.argsort(self.probabilities[:, k], kind="stable")
        below = np.cumsum(self.weight[order])
        tails = np.array([(1 - level) / 2, (1 + level) / 2])
        places = np.searchsorted(below, tails).clip(max=len(order) - 1)
        low, high = self.probabilities[order[places], k]
        return float(low), float(high)

    def stays(self, decision: int, decide: Decide) -> float:
        """The share of thens that are decided for this class."""
        return min(1.0, float(self.weight[decide(self.probabilities) == decision].sum()))

    def log_density(self, then: Floats) -> float:
        """Of thens' log-odds (K,), under the normal law with these draws' mean and covariance."""
        odds = log_odds(self.probabilities)
        covariance = np.atleast_2d(np.cov(odds.T, aweights=self.weight, ddof=0))
        covariance += SMALLEST_SPREAD * np.eye(odds.shape[1])
        centre = self.weight @ odds
        return float(multivariate_normal.logpdf(log_odds(then), centre, covariance))


@dataclass(frozen=True)
class Outlook:
    """What is said of one case that lacks one modality.

    Attributes:
        modality: the one it lacks.
        of: index of the class whose probability is meant.
        low: lower end of the interval of that probability, were the modality there.
        high: upper end.
        stays: share of thens with today's decision.
        bits: expected information.
        drift: mean of that probability less what it is now.
        reason: why nothing can be said; None where it is, and the numbers are None where not.
    """

    modality: str
    of: int | None = None
    low: float | None = None
    high: float | None = None
    stays: float | None = None
    bits: float | None = None
    drift: float | None = None
    reason: str | None = None

    @property
    def stable(self) -> bool | None:
        """Whether the decision is called stable; None where nothing can be said."""
        return None if self.stays is None else self.stays >= STABLE


def outlook(
    modality: str,
    thens: Thens,
    now: Floats,
    *,
    bits: float,
    positive: int | None,
    decide: Decide,
) -> Outlook:
    """What thens say of a case.

    Args:
        modality: the one it lacks.
        thens: what its prediction may become.
        now: (K,) what it is.
        bits: expected information.
        positive: the class whose probability is meant; None takes the one decided for now.
        decide: probabilities to decisions.
    """
    decision = int(decide(now[None])[0])
    of = decision if positive is None else positive
    low, high = thens.interval(of)
    return Outlook(
        modality=modality,
        of=of,
        low=low,
        high=high,
        stays=thens.stays(decision, decide),
        bits=bits,
        drift=float(thens.mean()[of] - now[of]),
    )
