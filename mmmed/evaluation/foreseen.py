"""What a modality that a case lacks would say: the law of log-odds with it, given those without.

now     log-odds of a case under what it shows, (K - 1,) each class against the first, calibrated
then    the same with the lacking modality beside
pair    a calibration case that owns all of it: its now, its then and its class are known
law     then = a + B now + c_class + noise, one Gaussian regression with the class among its columns

A case's class being unknown, its then is a mixture over classes, each by its probability now. With
the uncertainty of all parameters each part is a multivariate t (Geisser 1965, Ann. Math. Stat. 36).
What then tells of the class is c alone, so the expected information is that of c: a modality that
moves predictions without telling anything has c = 0 and 0 bits. Luck in few pairs makes c differ
from 0; it is shrunk by the share of its size that luck explains, to 0 where that is all.

On vectors drawn from the simulated cohort's law the class among the columns raised the log score of
unseen pairs by .01 to .02 and made intervals hold alike for sure and unsure cases.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri, gammaln, logsumexp, ndtri, softmax

from mmmed.errors import DataError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

FEWEST_FREE = 10
"""Pairs beyond the law's parameters: a spread from fewer says too little."""

FEWEST_OF_A_CLASS = 3
"""Pairs of every class, so that what the class changes is more than one person."""

LARGEST = 12.0
"""Log-odds beyond this are cut: 6 in a million is below what a calibration part can see."""

DRAWS = 256
"""Of then, for each class."""

SMALLEST_SPREAD = 1e-6
"""Added to variances, so that a model that ignores a modality has a law as well."""


@dataclass(frozen=True, eq=False)
class Law:
    """A fitted law of K classes; q = 2 K - 1 columns: one, now, and each class but the first.

    Attributes:
        n: pairs it was fitted on.
        coefficients: (q, K - 1).
        inverse: (q, q) of the columns' cross products.
        spread: (K - 1, K - 1) covariance of the noise.
        freedom: degrees of freedom.
        telling: share of c that is not luck, 0 to 1.
        share: (K,) of the pairs' classes.
    """

    n: int
    coefficients: Floats
    inverse: Floats
    spread: Floats
    freedom: int
    telling: float
    share: Floats

    def noise(self, generator: np.random.Generator) -> Floats:
        """(D, K - 1) draws of a t about 0, a Latin hypercube, so that few fill it."""
        size = len(self.spread)
        cell = generator.permuted(np.tile(np.arange(DRAWS), (size + 1, 1)), axis=1)
        even = (cell + generator.random(cell.shape)) / DRAWS  # (K, D)
        normal = ndtri(even[:size]).T @ np.linalg.cholesky(self.spread).T
        shrink = np.sqrt(self.freedom / chdtri(self.freedom, even[size]))
        return np.asarray(normal * shrink[:, None])

    def draws(self, now: Floats, noise: Floats) -> Floats:
        """Equally likely thens of each class, (K, D, K - 1) log-odds.

        Args:
            now: (K,) probabilities.
            noise: (D, K - 1) of this law.
        """
        place, width = self._parts(now)
        return place[:, None] + width[:, None, None] * noise

    def log_density(self, now: Floats, then: Floats) -> float:
        """Of thens' log-odds, under the mixture, given probabilities now and then, (K,) each."""
        place, width = self._parts(now)
        with np.errstate(divide="ignore"):
            parts = self._log_t(log_odds(then) - place, width) + np.log(now)
        total: float = logsumexp(parts)
        return float(total)

    def bits(self, now: Floats, noise: Floats) -> float:
        """What then is expected to tell of the class beyond now, in bits: never below 0.

        H(now) less the mean entropy of the classes' probabilities once then is known.

        Args:
            now: (K,) probabilities.
            noise: (D, K - 1) of this law.
        """
        place, width = self._parts(now)
        place = self.share @ place + self.telling * (place - self.share @ place)
        width = np.full_like(width, width @ now)  # what is not known of c is no evidence
        then = place[:, None] + width[:, None, None] * noise  # (K, D, K - 1)
        away = then[:, :, None] - place  # (K, D, K, K - 1)
        with np.errstate(divide="ignore"):
            posterior = softmax(self._log_t(away, width) + np.log(now), axis=-1)
        told = float(entropy(now)) - float(now @ entropy(posterior).mean(axis=1))
        return max(0.0, told)

    def to_json(self) -> dict[str, Any]:
        """As plain values, for `model.json`."""
        return {
            "n": self.n,
            "coefficients": self.coefficients.tolist(),
            "inverse": self.inverse.tolist(),
            "spread": self.spread.tolist(),
            "freedom": self.freedom,
            "telling": self.telling,
            "share": self.share.tolist(),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Law:
        """Back from `to_json`, bit for bit.

        Raises:
            DataError: a key is missing or not what it must be.
        """
        try:
            arrays = {
                name: np.array(value[name], dtype=np.float64)
                for name in ("coefficients", "inverse", "spread", "share")
            }
            return cls(
                n=int(value["n"]),
                freedom=int(value["freedom"]),
                telling=float(value["telling"]),
                **arrays,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"counterfactual: cannot be read ({error!r}); save the package again"
            ) from error

    def _parts(self, now: Floats) -> tuple[Floats, Floats]:
        """Where each class's t lies, (K, K - 1), and how many spreads wide it is, (K,)."""
        classes = len(self.share)
        x = _columns(np.tile(log_odds(now), (classes, 1)), np.arange(classes))
        width = np.sqrt(1 + np.einsum("kq,qr,kr->k", x, self.inverse, x))
        return x @ self.coefficients, width

    def _log_t(self, away: Floats, width: Floats) -> Floats:
        """Log densities of a t at distances (..., K, K - 1) from where it lies."""
        size, free = len(self.spread), self.freedom
        root = np.linalg.inv(np.linalg.cholesky(self.spread))
        squared = ((away @ root.T) ** 2).sum(axis=-1) / width**2
        constant = gammaln((free + size) / 2) - gammaln(free / 2) - size / 2 * np.log(free * np.pi)
        constant += np.log(np.diag(root)).sum()
        return np.asarray(
            constant - size * np.log(width) - (free + size) / 2 * np.log1p(squared / free)
        )


def fit_law(now: Floats, then: Floats, label: Integers) -> Law:
    """The law of pairs, which `why_not` has no objection to.

    Args:
        now: (n, K) probabilities.
        then: (n, K).
        label: (n,) index of the true class.
    """
    classes = now.shape[1]
    x, y = _columns(log_odds(now), label), log_odds(then)
    inverse: Floats = np.asarray(np.linalg.pinv(x.T @ x, hermitian=True), dtype=np.float64)
    coefficients = inverse @ x.T @ y
    left = y - x @ coefficients
    freedom = len(x) - x.shape[1] - classes + 2
    spread = left.T @ left / freedom + SMALLEST_SPREAD * np.eye(classes - 1)
    return Law(
        n=len(x),
        coefficients=coefficients,
        inverse=inverse,
        spread=spread,
        freedom=freedom,
        telling=_telling(coefficients[classes:], inverse[classes:, classes:], spread),
        share=np.bincount(label, minlength=classes) / len(label),
    )


def why_not(label: Integers, classes: int) -> str | None:
    """Why pairs of these classes make no law; None where they do."""
    if len(label) < 3 * classes - 3 + FEWEST_FREE:
        return f"too few calibration pairs (n = {len(label)})"
    fewest = int(np.bincount(label, minlength=classes).min())
    if fewest < FEWEST_OF_A_CLASS:
        return f"too few calibration pairs of a class (n = {fewest} of {len(label)})"
    return None


def log_odds(probabilities: Floats) -> Floats:
    """(..., K) -> (..., K - 1), each class against the first."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(probabilities)
        odds = logs[..., 1:] - logs[..., :1]
    return np.asarray(np.clip(np.nan_to_num(odds, nan=0.0), -LARGEST, LARGEST))


def chances(odds: Floats) -> Floats:
    """(..., K - 1) log-odds -> (..., K) probabilities."""
    first = np.zeros((*odds.shape[:-1], 1))
    return np.asarray(softmax(np.concatenate([first, odds], axis=-1), axis=-1))


def entropy(probabilities: Floats) -> Any:
    """In bits, over the last axis."""
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(probabilities > 0, probabilities * np.log2(probabilities), 0.0)
    return -terms.sum(axis=-1)


def _columns(now: Floats, label: Integers) -> Floats:
    """(n, q): one, now, and which class but the first."""
    classes = now.shape[1] + 1
    return np.concatenate([np.ones((len(now), 1)), now, np.eye(classes)[label][:, 1:]], axis=1)


def _telling(c: Floats, inverse: Floats, spread: Floats) -> float:
    """1 less the share of c's size that luck is expected to make, at least 0.

    Its size is the trace of Hotelling and Lawley; were c all luck, it would be (K - 1)^2.
    """
    size = float(
        np.trace(c.T @ np.linalg.pinv(inverse, hermitian=True) @ c @ np.linalg.inv(spread))
    )
    return max(0.0, 1 - len(c) ** 2 / size) if size > 0 else 0.0
