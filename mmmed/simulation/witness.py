"""Witnesses: a law under which only a few of a case's many items tell its label.

item      a vector of unit-normal numbers
witness   an item of a positive case that is shifted along one direction; every other item, and
          every item of a negative case, is noise
log-odds  of a positive case for who sees all its items and knows the law, prior left out

Who sees no more of a case than the mean of its items has a lower ceiling, whatever is made of that
mean: it is normal with one covariance in both classes, so the best AUROC is a closed form.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, logsumexp
from scipy.stats import norm


@dataclass(frozen=True)
class WitnessLaw:
    """How many items tell, and how loudly.

    Attributes:
        items: of a case.
        witnesses: of a positive case.
        shift: of a witness, in standard deviations along the direction.
        width: numbers of an item.
    """

    items: int = 20
    witnesses: int = 1
    shift: float = 4.0
    width: int = 8

    @property
    def rate(self) -> float:
        """The share of witnesses among the items of a positive case."""
        return self.witnesses / self.items

    @property
    def direction(self) -> np.ndarray:
        """(width,) of length one."""
        return np.full(self.width, 1 / math.sqrt(self.width))

    @property
    def mean_ceiling(self) -> float:
        """The best AUROC of who sees the mean of a case's items alone."""
        distance = self.witnesses * self.shift / math.sqrt(self.items)
        return float(norm.cdf(distance / math.sqrt(2)))


def draw(law: WitnessLaw, label: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """The items of n cases with labels (n,) 0 or 1, (n, items, width); witnesses anywhere."""
    items = generator.standard_normal((len(label), law.items, law.width))
    lots = generator.random((len(label), law.items)).argsort(axis=1)
    is_witness = (lots < law.witnesses) & (label[:, None] == 1)
    return np.asarray(items + is_witness[..., None] * law.shift * law.direction)


def log_odds(law: WitnessLaw, items: np.ndarray) -> np.ndarray:
    """The log-odds of a positive case, (n, items, width) -> (n,), prior left out.

    The mean, over all choices of witnesses, of the product of their likelihood ratios: an
    elementary symmetric polynomial of the items' ratios, built item by item.
    """
    ratio = law.shift * (items @ law.direction) - law.shift**2 / 2  # (n, items), in logs
    total = np.full((len(items), law.witnesses + 1), -np.inf)
    total[:, 0] = 0.0
    for place in range(law.items):
        chosen = total[:, :-1] + ratio[:, place, None]
        total[:, 1:] = logsumexp(np.stack([total[:, 1:], chosen]), axis=0)
    choices = (
        gammaln(law.items + 1) - gammaln(law.witnesses + 1) - gammaln(law.items - law.witnesses + 1)
    )
    return np.asarray(total[:, -1] - choices)
