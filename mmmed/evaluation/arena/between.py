"""Does a better-looking image mean a better diagnosis, from one imputer to another?

rho  Spearman's rank correlation of the imputers' mean error and of their score without the true
     modality, on the same folds, seeds and subjects; the error is turned so that more is worse:
     -1 where the better-looking one always diagnoses better
p    exact: the share of all orders of the imputers that correlate at least as strongly (Pitman
     1937, Supplement to the Journal of the Royal Statistical Society 4). k imputers allow none
     below 2 / k!, so fewer than `FEWEST` can show nothing

The interval speaks of other subjects under these trained models, not of other imputers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import factorial
from typing import Any

import numpy as np
from scipy.stats import permutation_test, rankdata, spearmanr

from mmmed.evaluation.arena.contest import Contest
from mmmed.evaluation.arena.downstream import Terms
from mmmed.evaluation.arena.error import Imputed, worse
from mmmed.evaluation.arena.seen import key, seen
from mmmed.evaluation.bootstrap import Estimate
from mmmed.evaluation.scores import Floats
from mmmed.evaluation.study.gap import percentiles

FEWEST = 5
"""Imputers of images from which on an order of theirs can reach p < .05."""

MOST_ORDERS = 9999
"""Of more orders than these so many are drawn."""


def between_rows(
    contest: Contest, imputed: Sequence[Imputed], terms: Terms
) -> Iterator[dict[str, Any]]:
    """A row per figure; none where fewer than two imputers can be looked at."""
    found = seen(contest, imputed)
    if len(found) < 2:
        return
    shown = [{key(one) for one in mine.models} for mine in found.values()]
    scored = [{key(one) for one in contest.without[method].models} for method in found]
    keys = set.intersection(*shown, *scored)
    sets = terms.bench.alike(
        *(
            tuple(one for one in contest.without[method].models if key(one) in keys)
            for method in found
        )
    )
    if not sets[0]:
        return
    scores = [terms.bench.measure(models).mean[terms.measure] for models in sets]
    y = np.stack([one.replicates for one in scores])  # (imputers, resamples)
    for figure in next(iter(found.values())).figures:
        errors = [one.mean(figure, terms.resampling, keys=keys) for one in found.values()]
        x = worse(figure, np.stack([one.replicates for one in errors]))
        rho = Estimate(_by_rank(x, y), terms.resampling.draws)
        low, high = percentiles(rho, terms.plan.interval.level) or (None, None)
        yield {
            **contest.to_row(),
            "figure": figure,
            "imputers": len(found),
            "rho": rho.value if np.isfinite(rho.value) else None,
            "low": low,
            "high": high,
            "p": _p_of_orders(x[:, 0], y[:, 0]),
            "least_p": min(1.0, 2 / factorial(len(found))),
        }


def _by_rank(x: Floats, y: Floats) -> Floats:
    """(D,) the correlation of the ranks of columns; NaN where one does not vary or is unknown."""
    ranks = [rankdata(one, axis=0, nan_policy="propagate") for one in (x, y)]
    first, second = (one - one.mean(axis=0) for one in ranks)
    spread = np.sqrt((first**2).sum(axis=0) * (second**2).sum(axis=0))
    return np.asarray((first * second).sum(axis=0) / np.where(spread > 0, spread, np.nan))


def _p_of_orders(x: Floats, y: Floats) -> float | None:
    """Two-sided; None where the correlation is not known."""
    if not np.isfinite([x, y]).all() or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    found = permutation_test(
        (x,),
        lambda order: spearmanr(order, y).statistic,
        permutation_type="pairings",
        n_resamples=MOST_ORDERS,
        rng=0,
    )
    return float(found.pvalue)
