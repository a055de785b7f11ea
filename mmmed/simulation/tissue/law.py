"""The law of simulated tissue: a burden per magnification, shifted by the diagnosis.

burden     a latent unit-normal number per magnification that every image of a slide at it shows
shift      how far malignant burdens lie above benign ones; burdens are independent within a class
prior      log-odds of malignant tissue before any image, by the shares of the slides
log-odds   log p(burdens | malignant) - log p(burdens | benign), and the prior

The diagnosis reaches the images through the burdens alone, so no model of the images can beat the
log-odds of the burdens that a pattern shows. These are normal in both classes, so every ceiling is
a sum of normal probabilities.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.stats import norm

from mmmed.config import Spec
from mmmed.modality import Pattern
from mmmed.simulation.law import Auroc, separation, whiten

MAGNIFICATIONS: Mapping[str, int] = {"x40": 40, "x100": 100, "x200": 200, "x400": 400}
"""Modality -> magnification, in the order of every array of burdens."""


class TissueLaw(Spec):
    """Independent burdens.

    Attributes:
        x40: the best AUROC from images at 40x alone: the share of cellular tissue.
        x100: at 100x: lumina that are lost.
        x200: at 200x: the density of nuclei.
        x400: at 400x: their size.
    """

    x40: Auroc = 0.80
    x100: Auroc = 0.80
    x200: Auroc = 0.85
    x400: Auroc = 0.88

    @property
    def shifts(self) -> np.ndarray:
        """(4,) malignant minus benign, in standard deviations."""
        return np.array([separation(getattr(self, name)) for name in MAGNIFICATIONS])

    def distance(self, pattern: Pattern) -> float:
        """Of the two classes, in standard deviations, by all burdens that a pattern shows."""
        shown = [name in pattern for name in MAGNIFICATIONS]
        return float(np.linalg.norm(self.shifts[shown]))


def draw_burdens(
    law: TissueLaw, label: np.ndarray, generator: np.random.Generator, *, matched: bool
) -> np.ndarray:
    """The burdens of n slides, (n, 4).

    Args:
        law: the law.
        label: (n,) 0 benign, 1 malignant.
        generator: consumed alike whether matched or not.
        matched: whiten the draws of each class, so that all slides together have the law's own mean
            and covariance. Slides are then no longer independent.
    """
    noise = generator.standard_normal((len(label), len(MAGNIFICATIONS)))
    if matched:
        for value in (0, 1):
            noise[label == value] = whiten(noise[label == value])
    return np.asarray(noise + label[:, None] * law.shifts)


def log_odds(law: TissueLaw, burdens: np.ndarray, pattern: Pattern, *, prior: float) -> np.ndarray:
    """The log-odds of malignant tissue for who sees a pattern, (n, 4) -> (n,)."""
    shown = [name in pattern for name in MAGNIFICATIONS]
    shift = law.shifts[shown]
    return np.asarray((burdens[:, shown] - shift / 2) @ shift + prior)


def best(law: TissueLaw, shares: Mapping[Pattern, float], *, prior: float) -> dict[str, float]:
    """The best AUROC and accuracy where slides show these patterns in these shares.

    Given a pattern the log-odds are normal about the prior plus and minus half the squared
    distance, with the squared distance as variance.
    """
    square = np.array([law.distance(pattern) ** 2 for pattern in shares])
    weight = np.array(list(shares.values()))
    above = norm.cdf((square[:, None] + square) / 2 / np.sqrt(square[:, None] + square))
    right = [norm.cdf((square / 2 + sign * prior) / np.sqrt(square)) for sign in (-1, 1)]
    malignant = 1 / (1 + np.exp(-prior))
    return {
        "auroc": float(weight @ above @ weight),
        "accuracy": float(weight @ ((1 - malignant) * right[0] + malignant * right[1])),
        "error": 0.0,
    }
