"""Which method is best, and how sure that is.

best       share of the drawn sets of subjects in which a method scores highest; methods that tie
           share it, so the shares of a place sum to 1
mean rank  over the same draws; 1 is best

It speaks of other subjects under the same trained models, and is no p value: of two methods that
are equally good either may have any share.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from mmmed.evaluation.bootstrap import Estimate


@dataclass(frozen=True)
class Rank:
    """Of one method among several; None where no draw scores them all."""

    best: float | None
    mean_rank: float | None


def rank(estimates: Mapping[str, Estimate]) -> dict[str, Rank]:
    """The ranks of methods in one place, where more is better.

    Args:
        estimates: method -> score, all of one resampling and of the same cases.
    """
    names = list(estimates)
    drawn = np.stack([estimates[name].replicates[1 : 1 + estimates[name].draws] for name in names])
    drawn = drawn[:, np.isfinite(drawn).all(axis=0)]
    if drawn.shape[1] == 0:
        return dict.fromkeys(names, Rank(None, None))
    first = drawn == drawn.max(axis=0)
    shares = (first / first.sum(axis=0)).mean(axis=1)
    ranks = rankdata(-drawn, axis=0).mean(axis=1)
    return {
        name: Rank(float(share), float(place))
        for name, share, place in zip(names, shares, ranks, strict=True)
    }
