"""Imputers whose guesses can be looked at: how they look, and how well their cases are diagnosed.

Imputers of features make nothing that could be looked at: they have no image error.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from mmmed.evaluation.arena.contest import Contest
from mmmed.evaluation.arena.downstream import Terms
from mmmed.evaluation.arena.error import IMAGE, Errors, Imputed
from mmmed.evaluation.predictions import Model


def seen(contest: Contest, imputed: Sequence[Imputed]) -> dict[str, Imputed]:
    """Method -> what it imputes of the lost modality, of the imputers of images."""
    place = contest.place
    here = {
        one.method: one
        for one in imputed
        if (one.cohort, one.train) == (place.cohort, place.train)
        and (one.modality, one.space) == (contest.lost, IMAGE)
    }
    return {method: here[method] for method in contest.without if method in here}


def points(contest: Contest, imputed: Sequence[Imputed], terms: Terms) -> Iterator[dict[str, Any]]:
    """A row per imputer of images, fold and seed: its mean errors and its score."""
    for method, one in seen(contest, imputed).items():
        measured = terms.bench.measure(contest.without[method].models)
        scores = dict(zip(map(key, measured.models), measured.single[terms.measure], strict=True))
        for model in one.models:
            score = float(scores.get(key(model), np.nan))
            yield {
                **contest.to_row(),
                "method": method,
                "fold": model.fold,
                "seed": model.seed,
                "score": score if np.isfinite(score) else None,
                **{figure: float(model.by_figure[figure].mean()) for figure in one.figures},
            }


def key(model: Model | Errors) -> tuple[str, str]:
    """What tells fitted models of one method apart."""
    return model.fold, model.seed
