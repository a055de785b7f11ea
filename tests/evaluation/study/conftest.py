"""Models of a gaussian law: what a reader with some noise says of cases whose law is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from scipy.special import expit

from mmmed.evaluation.bootstrap import Resampling
from mmmed.evaluation.predictions import Model
from mmmed.evaluation.scores import Scored
from mmmed.evaluation.study.cell import Cell, Place
from mmmed.evaluation.study.measured import Bench

D = 1.8
"""Distance of the classes in spreads; the log-odds of z are D z - D^2 / 2."""


def forced(pattern: str) -> Place:
    return Place("", "", "every-pattern", -1.0, pattern, "forced")


def observed(rate: float, *, train: str = "") -> Place:
    return Place("", train, "mcar", rate, "mixed", "observed")


class Law:
    """One draw of n subjects in folds."""

    def __init__(self, n: int, *, folds: int = 1, seed: int = 0, distance: float = D) -> None:
        self.random = np.random.default_rng(seed)
        self.label = np.arange(n) % 2
        self.fold = self.random.permutation(n // 2).repeat(2) % folds
        self.odds = distance * (self.random.normal(size=n) + distance * self.label)
        self.odds -= distance**2 / 2
        self.name = [f"sub-{i:03d}" for i in range(n)]

    def models(
        self, noise: float, *, seeds: int = 1, luck: float = 0.0, keep: Sequence[int] | None = None
    ) -> tuple[Model, ...]:
        """A reader whose log-odds are noisy; `luck` is the spread of that noise over trainings."""
        chosen = np.arange(len(self.label)) if keep is None else np.asarray(keep)
        return tuple(
            self._model(str(fold), str(seed), chosen[self.fold[chosen] == fold], noise, luck)
            for fold in np.unique(self.fold[chosen])
            for seed in range(seeds)
        )

    def _model(self, fold: str, seed: str, rows: np.ndarray, noise: float, luck: float) -> Model:
        own = abs(noise + luck * self.random.normal())
        odds = self.odds[rows] + own * self.random.normal(size=len(rows))
        p = expit(odds)
        names = tuple(self.name[row] for row in rows)
        scored = Scored(
            self.label[rows], np.stack([1 - p, p], axis=1), (p >= 0.5).astype(np.int64), 1
        )
        return Model(fold, seed, names, names, ("mri",) * len(rows), scored)

    def bench(self, *, draws: int = 200, seed: int = 0) -> Bench:
        return Bench(Resampling.draw(self.name, draws=draws, seed=seed))

    def cell(self, method: str, place: Place, noise: float, *, seeds: int = 1) -> Cell:
        return Cell(method, place, self.models(noise, seeds=seeds))


@pytest.fixture(scope="session")
def make_law() -> Callable[..., Law]:
    return Law


@pytest.fixture(scope="session")
def at() -> Callable[..., Place]:
    """A forced place by its pattern, an observed one by its rate."""

    def place(where: str | float, *, train: str = "") -> Place:
        return forced(where) if isinstance(where, str) else observed(where, train=train)

    return place
