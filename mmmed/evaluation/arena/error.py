"""How far imputed items lie from the true ones: means over cases, in every resample of subjects.

error    of one case, as `imputed.tsv` holds it: `mae`, `psnr` and `ssim` of volumes, `mse` of
         embeddings, which have no picture
model    one fold x seed: errors are averaged inside it and then over models, as every score is
worse    the error turned so that more is worse: PSNR and SSIM are better where they are higher
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mmmed.evaluation.bootstrap import Estimate, Resampling, average
from mmmed.evaluation.scores import Floats
from mmmed.evaluation.study.gap import percentiles

HIGHER_IS_BETTER = ("psnr", "ssim")
IMAGE = "image"
"""The space of imputers whose guesses can be looked at."""


@dataclass(frozen=True)
class Errors:
    """The errors of one fitted imputer on one modality.

    Attributes:
        fold: its name.
        seed: of the job.
        case: (n,) ids.
        subject: (n,) ids.
        by_figure: name -> (n,).
    """

    fold: str
    seed: str
    case: tuple[str, ...]
    subject: tuple[str, ...]
    by_figure: Mapping[str, Floats]


@dataclass(frozen=True)
class Imputed:
    """What one method imputes of one modality.

    Attributes:
        cohort: predicted.
        train: protocol of the training.
        method: its name.
        modality: that was hidden.
        space: `image` or `feature`.
        models: in the order of fold and seed.
    """

    cohort: str
    train: str
    method: str
    modality: str
    space: str
    models: tuple[Errors, ...]

    @property
    def figures(self) -> tuple[str, ...]:
        """What is known of every case."""
        return tuple(self.models[0].by_figure)

    def mean(
        self,
        figure: str,
        resampling: Resampling,
        *,
        keys: Collection[tuple[str, str]] | None = None,
    ) -> Estimate:
        """The mean error over models, of these (fold, seed) or of all."""
        chosen = [one for one in self.models if keys is None or (one.fold, one.seed) in keys]
        return average([_mean(one, figure, resampling) for one in chosen])

    def by_seed(self, figure: str) -> Floats:
        """(seeds,) the mean over the folds of each seed."""
        seeds = sorted({one.seed for one in self.models})
        means = {
            seed: [float(one.by_figure[figure].mean()) for one in self.models if one.seed == seed]
            for seed in seeds
        }
        return np.array([np.mean(means[seed]) for seed in seeds])


def find_imputed(table: pd.DataFrame) -> list[Imputed]:
    """What a table of errors holds, method by method; its columns are those of `imputed.tsv`.

    A case with an error that is no finite number is left out.
    """
    table = table[np.isfinite(table["error"])]
    heads = ["cohort", "train", "method", "modality", "space"]
    found = []
    for key, part in table.groupby(heads, sort=True):
        cohort, train, method, modality, space = map(str, key)
        models = tuple(_models(part))
        if models:
            found.append(Imputed(cohort, train, method, modality, space, models))
    return found


def error_rows(
    imputed: Sequence[Imputed], resampling: Resampling, *, level: float
) -> Iterator[dict[str, Any]]:
    """A row per method, modality and figure; `gap` is to the first method of the same space."""
    first: dict[tuple[str, ...], tuple[str, Estimate]] = {}
    for one in imputed:
        for figure in one.figures:
            mean = one.mean(figure, resampling)
            low, high = mean.interval(level) or (None, None)
            by_seed = one.by_seed(figure)
            key = (one.cohort, one.train, one.modality, one.space, figure)
            other, beside = first.setdefault(key, (one.method, mean))
            gap = mean - beside
            bounds = percentiles(gap, level) if other != one.method else None
            yield {
                "cohort": one.cohort or None,
                "train": one.train or None,
                "method": one.method,
                "modality": one.modality,
                "space": one.space,
                "figure": figure,
                "n": len({case for model in one.models for case in model.case}),
                "models": len(one.models),
                "value": mean.value,
                "low": low,
                "high": high,
                "seed_spread": float(by_seed.std(ddof=1)) if len(by_seed) > 1 else None,
                "against": other if other != one.method else None,
                "gap": gap.value if other != one.method else None,
                "gap_low": bounds[0] if bounds else None,
                "gap_high": bounds[1] if bounds else None,
            }


def worse(figure: str, values: Floats) -> Floats:
    """The values turned so that more is worse."""
    return -values if figure in HIGHER_IS_BETTER else values


def _models(part: pd.DataFrame) -> Iterator[Errors]:
    for (fold, seed), rows in part.groupby(["fold", "seed"], sort=True):
        wide = rows.pivot_table(
            index=["case_id", "subject_id"], columns="figure", values="error", sort=True
        )
        wide = wide.dropna()
        if wide.empty:
            continue
        cases, subjects = zip(*wide.index, strict=True)
        values = {str(name): wide[name].to_numpy(dtype=np.float64) for name in wide.columns}
        yield Errors(str(fold), str(seed), tuple(cases), tuple(subjects), values)


def _mean(model: Errors, figure: str, resampling: Resampling) -> Estimate:
    values = model.by_figure[figure]

    def scores(weights: Floats) -> dict[str, Floats]:
        with np.errstate(divide="ignore", invalid="ignore"):
            return {figure: values @ weights / weights.sum(axis=0)}

    return resampling.estimate(scores, model.subject)[figure]
