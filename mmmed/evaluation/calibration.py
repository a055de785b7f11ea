"""Calibration: logits of a trained model to probabilities that mean what they say.

    probabilities = softmax(logits / temperature + bias)

One temperature and one bias (K - 1 free numbers; the first class has none) serve all patterns, by
maximum likelihood on the calibration part. A pattern gets a bias of its own only where enough
forced views speak for it; any other pattern, also one never met, takes the common bias.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax

from mmmed.errors import DataError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

FEWEST_VIEWS = 50
"""Forced views a pattern needs for a bias of its own."""

FEWEST_OF_A_CLASS = 10
"""Views of every class a pattern needs for a bias of its own."""

TEMPERATURES = (0.05, 20.0)
"""Bounds: classes that calibration cases separate, or scores without any order, have no finite
maximum, and a package must not turn luck in 100 cases into certainty."""

LARGEST_BIAS = 10.0
"""Bound of a bias, in log-odds."""


@dataclass(frozen=True)
class Calibration:
    """What turns logits into probabilities.

    Attributes:
        temperature: divides the logits.
        bias: (K,) added after; the first is 0.
        own: pattern -> its own bias (K,).
        views: pattern -> forced views it was fitted on.
        reason: why this is the identity; None where it was fitted.
    """

    temperature: float
    bias: tuple[float, ...]
    own: Mapping[str, tuple[float, ...]]
    views: Mapping[str, int]
    reason: str | None = None

    def probabilities(self, logits: Floats, pattern: Sequence[str]) -> Floats:
        """Calibrated probabilities (n, K) of logits (n, K) seen under patterns (n,)."""
        bias = np.array([self.own.get(name, self.bias) for name in pattern])
        scaled = np.asarray(logits, dtype=np.float64) / self.temperature
        scores = scaled + bias.reshape(scaled.shape)
        chances = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(chances / chances.sum(axis=1, keepdims=True))

    def to_json(self) -> dict[str, Any]:
        """As plain values, for `model.json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Calibration:
        """Back from `to_json`, bit for bit.

        Raises:
            DataError: a key is missing or not what it must be.
        """
        try:
            return cls(
                temperature=float(value["temperature"]),
                bias=tuple(float(number) for number in value["bias"]),
                own={
                    str(name): tuple(float(number) for number in bias)
                    for name, bias in value["own"].items()
                },
                views={str(name): int(count) for name, count in value["views"].items()},
                reason=value["reason"],
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(
                f"calibration: cannot be read ({error!r}); save the package again"
            ) from error


def identity(classes: int, *, reason: str, views: Mapping[str, int] | None = None) -> Calibration:
    """The calibration that changes nothing but softmax, and why nothing better is known."""
    return Calibration(1.0, (0.0,) * classes, {}, dict(views or {}), reason)


def fit_calibration(logits: Floats, label: Integers, pattern: Sequence[str]) -> Calibration:
    """Fit on the forced views of the calibration part.

    Args:
        logits: (n, K).
        label: (n,) index of the true class.
        pattern: (n,) what each view shows.
    """
    logits = np.asarray(logits, dtype=np.float64)
    classes = logits.shape[1]
    names = np.asarray(pattern, dtype=str)
    views = dict(sorted(Counter(names.tolist()).items()))
    lacking = sorted(set(range(classes)) - set(np.unique(label).tolist()))
    if lacking:
        reason = (
            f"not calibrated: {len(label)} calibration views, none of class number {lacking[0]}"
        )
        return identity(classes, reason=reason, views=views)
    if not np.isfinite(logits).all():
        return identity(classes, reason="not calibrated: a logit is not finite", views=views)
    speaking = [name for name in views if _speaks_for_itself(label[names == name], classes)]
    group = np.array([speaking.index(name) + 1 if name in speaking else 0 for name in names])
    temperature = _fit_temperature(logits, label, group)
    own = {
        name: _fit_bias(logits[names == name] / temperature, label[names == name])
        for name in speaking
    }
    return Calibration(temperature, _fit_bias(logits / temperature, label), own, views)


def _speaks_for_itself(label: Integers, classes: int) -> bool:
    counts = np.bincount(label, minlength=classes)
    return len(label) >= FEWEST_VIEWS and int(counts.min()) >= FEWEST_OF_A_CLASS


def _fit_temperature(logits: Floats, label: Integers, group: Integers) -> float:
    """The temperature that fits best when each group has its own bias.

    A shared bias would pull the temperature up wherever patterns differ in theirs. The loss is
    convex in (1 / temperature, biases).
    """
    classes = logits.shape[1]
    member = np.eye(int(group.max()) + 1)[group]  # (n, groups)

    def loss(parameters: Floats) -> tuple[float, Floats]:
        bias = member @ parameters[1:].reshape(-1, classes - 1)
        scores = logits * parameters[0]
        scores[:, 1:] += bias
        value, slope = _loss(scores, label)
        return value, np.append((slope * logits).sum(), member.T @ slope[:, 1:])

    low, high = TEMPERATURES
    biases = member.shape[1] * (classes - 1)
    bounds = [(1 / high, 1 / low)] + [(-LARGEST_BIAS, LARGEST_BIAS)] * biases
    return float(1 / _minimise(loss, np.append(1.0, np.zeros(biases)), bounds)[0])


def _fit_bias(scaled: Floats, label: Integers) -> tuple[float, ...]:
    classes = scaled.shape[1]

    def loss(parameters: Floats) -> tuple[float, Floats]:
        value, slope = _loss(scaled + np.append(0.0, parameters), label)
        return value, slope[:, 1:].sum(axis=0)

    bounds = [(-LARGEST_BIAS, LARGEST_BIAS)] * (classes - 1)
    return (0.0, *map(float, _minimise(loss, np.zeros(classes - 1), bounds)))


def _loss(scores: Floats, label: Integers) -> tuple[float, Floats]:
    """Mean log loss and its derivative by every score, (n, K)."""
    rows = np.arange(len(label))
    logs = log_softmax(scores, axis=1)
    slope = np.exp(logs)
    slope[rows, label] -= 1
    return float(-logs[rows, label].mean()), slope / len(label)


def _minimise(loss: Any, start: Floats, bounds: Sequence[tuple[float, float]]) -> Floats:
    options = {"ftol": 1e-14, "gtol": 1e-9, "maxiter": 1000}
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    return np.asarray(found.x)
