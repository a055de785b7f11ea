"""The threshold on the calibrated probability of the positive class.

It is a fixed number, or the highest one that still finds a stated share of the positive cases of
the calibration part. With more than two classes the most probable class is decided for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmmed.errors import StudyError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

SLACK = 1e-9
"""0.9 x 10 must be nine positives, whatever the tenth digit of the product says."""


@dataclass(frozen=True)
class Threshold:
    """Where a decision turns positive, and what that meant on the calibration part.

    Attributes:
        value: a probability of at least this is positive.
        sensitivity: share of the positive calibration views called so; None where there is none.
        specificity: share of the negative ones not called so; None where there is none.
        n_positive: positive calibration views.
        n_negative: negative calibration views.
        reason: why the wish could not be met; None where it was.
    """

    value: float
    sensitivity: float | None
    specificity: float | None
    n_positive: int
    n_negative: int
    reason: str | None = None


@dataclass(frozen=True)
class Rule:
    """How decisions are made.

    Attributes:
        threshold: of the positive class's probability.
        positive: its index; None decides for the most probable class.
    """

    threshold: float
    positive: int | None

    @classmethod
    def of(cls, threshold: float | None, positive: str | None, classes: Sequence[str]) -> Rule:
        """From a threshold, None where there is none, and the name of the positive class."""
        if threshold is None or positive is None:
            return cls(0.5, None)
        return cls(threshold, classes.index(positive))

    def __call__(self, probabilities: Floats) -> Integers:
        """(n,) index of the class decided for, from probabilities (n, K)."""
        return decide(probabilities, threshold=self.threshold, positive=self.positive)


def fit_threshold(
    wish: float | Mapping[str, float], probability: Floats, is_positive: NDArray[np.bool_]
) -> Threshold:
    """Set the threshold on the calibration part.

    Args:
        wish: a number, or `{"sensitivity": s}`.
        probability: (n,) calibrated probability of the positive class.
        is_positive: (n,).

    Raises:
        StudyError: the wish is neither.
    """
    if isinstance(wish, Mapping):
        if set(wish) != {"sensitivity"} or not 0 < wish["sensitivity"] <= 1:
            raise StudyError(f"threshold: {dict(wish)}: write a number or {{sensitivity: 0.9}}")
        return _for_sensitivity(wish["sensitivity"], probability, is_positive)
    if not 0 < wish < 1:
        raise StudyError(f"threshold: {wish}: a probability between 0 and 1 is expected")
    return _measured(float(wish), probability, is_positive)


def decide(probabilities: Floats, *, threshold: float, positive: int | None) -> Integers:
    """(n,) index of the class decided for, from probabilities (n, K)."""
    if probabilities.shape[1] > 2 or positive is None:
        return np.asarray(np.argmax(probabilities, axis=1), dtype=np.int64)
    return np.where(probabilities[:, positive] >= threshold, positive, 1 - positive)


def _for_sensitivity(wish: float, probability: Floats, is_positive: NDArray[np.bool_]) -> Threshold:
    found = np.sort(probability[is_positive])[::-1]
    if len(found) == 0:
        reason = "no positive calibration case: the threshold stays at 0.5"
        return _measured(0.5, probability, is_positive, reason=reason)
    needed = math.ceil(wish * len(found) - SLACK)
    return _measured(float(found[needed - 1]), probability, is_positive)


def _measured(
    value: float,
    probability: Floats,
    is_positive: NDArray[np.bool_],
    *,
    reason: str | None = None,
) -> Threshold:
    called = probability >= value
    n_positive = int(is_positive.sum())
    n_negative = len(is_positive) - n_positive
    return Threshold(
        value=value,
        sensitivity=float(called[is_positive].mean()) if n_positive else None,
        specificity=float((~called[~is_positive]).mean()) if n_negative else None,
        n_positive=n_positive,
        n_negative=n_negative,
        reason=reason,
    )
