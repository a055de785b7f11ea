"""What a set of models is worth: each by itself, and their mean in every resample of subjects.

A score is computed inside a model and then averaged, never pooled over models. One draw of subjects
serves all models of all methods in all places, so their differences are paired. A model that a
resample leaves without a class is left out of that resample's mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mmmed.evaluation.bootstrap import Estimate, Resampling
from mmmed.evaluation.predictions import Model
from mmmed.evaluation.scores import Floats
from mmmed.evaluation.study.cell import keep
from mmmed.evaluation.study.resampled import MEASURES, resampled_scores

BLOCK = 1 << 20
"""Weights held at a time: 8 MiB."""


@dataclass(frozen=True)
class Measured:
    """Models and their scores.

    Attributes:
        models: fold and seed of each, with its cases.
        single: measure -> (models,) the score of each; NaN where it has none.
        mean: measure -> the mean over the models that have one, with its resamples.
    """

    models: tuple[Model, ...]
    single: Mapping[str, Floats]
    mean: Mapping[str, Estimate]

    def by_seed(self, measure: str) -> Floats:
        """(seeds,) the mean over the folds of each seed."""
        seeds = np.array([model.seed for model in self.models])
        values = self.single[measure]
        known = [values[(seeds == seed) & np.isfinite(values)] for seed in np.unique(seeds)]
        return np.array([one.mean() for one in known if len(one)])


class Bench:
    """Measures sets of models under one draw of subjects; each set once."""

    def __init__(self, resampling: Resampling) -> None:
        self._resampling = resampling
        self._known: dict[tuple[int, ...], Measured] = {}
        self._parts: dict[tuple[int, frozenset[str]], Model] = {}

    def measure(self, models: tuple[Model, ...]) -> Measured:
        """The models' scores."""
        key = tuple(map(id, models))
        if key not in self._known:
            self._known[key] = self._measure(models)
        return self._known[key]

    def alike(self, *sets: tuple[Model, ...]) -> tuple[tuple[Model, ...], ...]:
        """The sets without what not all of them hold: the same folds, seeds and cases in each."""
        named = [{(model.fold, model.seed): model for model in models} for models in sets]
        shared = [key for key in named[0] if all(key in one for one in named)]
        cases = {
            key: frozenset.intersection(*(frozenset(one[key].case) for one in named))
            for key in shared
        }
        return tuple(
            tuple(self._part(one[key], cases[key]) for key in shared if cases[key]) for one in named
        )

    def _part(self, model: Model, cases: frozenset[str]) -> Model:
        if len(cases) == len(model.case):
            return model
        key = (id(model), cases)
        if key not in self._parts:
            self._parts[key] = keep(model, np.array([case in cases for case in model.case]))
        return self._parts[key]

    def _measure(self, models: tuple[Model, ...]) -> Measured:
        size = self._resampling.counts.shape[1]
        total, count = np.zeros((len(MEASURES), size)), np.zeros((len(MEASURES), size))
        single = np.full((len(MEASURES), len(models)), np.nan)
        for place, model in enumerate(models):
            scores = self._scores(model)
            single[:, place] = scores[:, 0]
            known = np.isfinite(scores) & np.isfinite(scores[:, :1])
            total += np.where(known, scores, 0.0)
            count += known
        means = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
        draws = self._resampling.draws
        return Measured(
            models,
            dict(zip(MEASURES, single, strict=True)),
            {name: Estimate(row, draws) for name, row in zip(MEASURES, means, strict=True)},
        )

    def _scores(self, model: Model) -> Floats:
        """(measures, resamples) of one model."""
        counts = self._resampling.counts
        rows = np.array([self._resampling.row[name] for name in model.subject])
        width = max(1, BLOCK // len(rows))
        blocks = [
            resampled_scores(
                model.scored, counts[:, start : start + width][rows].astype(np.float64)
            )
            for start in range(0, counts.shape[1], width)
        ]
        return np.concatenate(blocks, axis=1)


def combine(parts: Sequence[Measured], weights: Sequence[float]) -> Measured:
    """A weighted sum of sets that are alike: a slope over rates, an area under a curve.

    A measure that a model lacks in one part it lacks in the sum; where parts lack it in different
    models their means are of different models, and the sum has none.
    """
    single = {
        name: np.sum([w * one.single[name] for w, one in zip(weights, parts, strict=True)], axis=0)
        for name in MEASURES
    }
    mean = {
        name: Estimate(
            np.sum(
                [
                    w * one.mean[name].replicates + _unless_alike(parts, name)
                    for w, one in zip(weights, parts, strict=True)
                ],
                axis=0,
            ),
            parts[0].mean[name].draws,
        )
        for name in MEASURES
    }
    return Measured(parts[0].models, single, mean)


def _unless_alike(parts: Sequence[Measured], measure: str) -> float:
    """NaN where not all parts have the measure in the same models, else 0."""
    known = np.stack([np.isfinite(one.single[measure]) for one in parts])
    return 0.0 if bool((known == known[0]).all()) else float("nan")
