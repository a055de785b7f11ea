"""The best scores that a law allows, per pattern and for mixtures of patterns.

ceiling_images    the best from the burdens that the images shown carry
ceiling_all       the best from these and from which images are absent
with covariates   age, sex and site known too: the images show them, so where they tell something
                  of the label (or the law has a subgroup) this is the strict bound of image models

Closed forms where the burdens of both classes differ by a shift alone and absence depends on
nothing; elsewhere Monte-Carlo over batches of class-wise whitened draws, with the standard error
of the mean over batches. Classes are balanced and accuracy is that of the sign of the log-odds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from mmmed.mechanism import Complete, Mechanism
from mmmed.modality import Pattern
from mmmed.simulation.law import BURDENS, Gaussian, Law, Redundant, draw_burdens, members
from mmmed.simulation.oracle import Knowledge, World, reader_log_odds
from mmmed.simulation.population import draw_covariates
from mmmed.simulation.selection import BOTH, Selection, selection_of

BATCHES, BATCH = 20, 10_000
SEED = 20_240_229
"""Of the Monte-Carlo draws: ceilings do not depend on a cohort's seed."""


@dataclass(frozen=True)
class Estimate:
    """A number and its Monte-Carlo standard error; 0 where it is exact."""

    value: float
    error: float = 0.0


@dataclass(frozen=True)
class Ceiling:
    """The best AUROC and accuracy."""

    auroc: Estimate
    accuracy: Estimate

    def to_json(self) -> dict[str, float]:
        """As plain values: `auroc`, `accuracy` and the larger of their errors."""
        return {
            "auroc": self.auroc.value,
            "accuracy": self.accuracy.value,
            "error": max(self.auroc.error, self.accuracy.error),
        }


@dataclass(frozen=True)
class Ceilings:
    """The best from the images shown, and from these and their absence."""

    images: Ceiling
    all: Ceiling

    def to_json(self) -> dict[str, dict[str, float]]:
        """As plain values: `ceiling_images` and `ceiling_all`."""
        return {"ceiling_images": self.images.to_json(), "ceiling_all": self.all.to_json()}


def pattern_ceiling(world: World, pattern: Pattern, *, covariates: bool = False) -> Ceiling:
    """The best scores when every subject shows `pattern` (a forced table)."""
    if _is_linear(world.law) and not (covariates and world.covariates_tell):
        return _closed_form(world.law, {pattern: 1.0})
    scores = reader_log_odds(world, _people(world), Knowledge(pattern, covariates=covariates))
    return _monte_carlo(world, {pattern: scores}, {pattern: np.ones(BATCHES * BATCH)})


def ceiling(
    world: World,
    protocol: Mechanism | Complete,
    *,
    natural: Mechanism | Complete = Complete(),  # noqa: B008  # frozen
    covariates: bool = False,
) -> Ceilings:
    """The best scores when a protocol at one rate hides modalities (an observed table).

    Args:
        world: the law and its people.
        protocol: what is hidden.
        natural: what is not on disk to begin with.
        covariates: whether age, sex and site are known.

    Raises:
        StudyError: absence depends on what simulated subjects lack, or the rate is a list.
    """
    people = _people(world)
    selection = selection_of([natural, protocol], people)
    constant = selection.evidence.is_constant
    if constant and _is_linear(world.law) and not (covariates and world.covariates_tell):
        shares = selection.shares(np.zeros(1))
        exact = _closed_form(world.law, {name: float(share[0]) for name, share in shares.items()})
        return Ceilings(images=exact, all=exact)
    images = _mixture(world, people, selection, covariates=covariates, by_absence=False)
    if constant:
        return Ceilings(images=images, all=images)
    return Ceilings(
        images=images,
        all=_mixture(world, people, selection, covariates=covariates, by_absence=True),
    )


def information(world: World) -> Estimate:
    """I(label; PET | MRI) in bits, age, sex and site known.

    It is the rise of the best possible log-loss when the PET goes missing.
    """
    people = _people(world)
    label = people["label"].to_numpy()
    loss = {
        pattern: _log_loss_bits(
            reader_log_odds(world, people, Knowledge(pattern, covariates=True)), label
        )
        for pattern in (BOTH, Pattern.of(["mri"]))
    }
    gain = loss[Pattern.of(["mri"])] - loss[BOTH]
    return _over_batches(lambda rows: float(gain[rows].mean()))


def _mixture(
    world: World,
    people: pd.DataFrame,
    selection: Selection,
    *,
    covariates: bool,
    by_absence: bool,
) -> Ceiling:
    shares = selection.shares(selection.evidence.at(people))
    evidence = selection if by_absence else None
    scores = {
        pattern: reader_log_odds(world, people, Knowledge(pattern, covariates, evidence))
        for pattern, share in shares.items()
        if share.any()
    }
    return _monte_carlo(world, scores, shares)


def _is_linear(law: Law) -> bool:
    """Whether the classes differ by a shift alone, so that closed forms hold."""
    return isinstance(law, Gaussian | Redundant)


def _closed_form(law: Law, shares: Mapping[Pattern, float]) -> Ceiling:
    """Log-odds are N(+-d^2/2, d^2) within a pattern at distance d, and comparable across them."""
    share = np.array(list(shares.values()))
    distance = np.array([_distance(law, pattern) for pattern in shares])
    joint = np.hypot(distance[:, None], distance[None, :])
    return Ceiling(
        auroc=Estimate(float(share @ norm.cdf(joint / 2) @ share)),
        accuracy=Estimate(float(share @ norm.cdf(distance / 2))),
    )


def _distance(law: Law, pattern: Pattern) -> float:
    """The Mahalanobis distance of the classes in the burdens of a pattern."""
    component = law.component(1, False).only(pattern)
    return float(np.sqrt(component.mean @ np.linalg.solve(component.covariance, component.mean)))


@lru_cache(maxsize=4)
def _people(world: World) -> pd.DataFrame:
    """`BATCHES` batches of subjects, one below the other, each balanced and whitened."""
    random = np.random.default_rng(SEED)
    return pd.concat([_batch(world, random) for _ in range(BATCHES)], ignore_index=True)


def _batch(world: World, random: np.random.Generator) -> pd.DataFrame:
    label = np.arange(BATCH) % 2
    table = draw_covariates(world.population, label, random)
    subgroup = members(world.law, table)
    burdens = draw_burdens(world.law, label, subgroup, random, matched=True)
    return table.assign(label=label, **dict(zip(BURDENS.values(), burdens.T, strict=True)))


def _monte_carlo(
    world: World, scores: Mapping[Pattern, np.ndarray], shares: Mapping[Pattern, np.ndarray]
) -> Ceiling:
    """Scores of mixtures: every subject counts under every pattern, by the pattern's share."""
    label = _people(world)["label"].to_numpy()

    def stacked(rows: slice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return (
            np.concatenate([label[rows] for _ in scores]),
            np.concatenate([score[rows] for score in scores.values()]),
            np.concatenate([shares[pattern][rows] for pattern in scores]),
        )

    def auroc(rows: slice) -> float:
        truth, score, weight = stacked(rows)
        return float(roc_auc_score(truth, score, sample_weight=weight))

    def accuracy(rows: slice) -> float:
        truth, score, weight = stacked(rows)
        return float(np.average((score > 0) == truth, weights=weight))

    return Ceiling(auroc=_over_batches(auroc), accuracy=_over_batches(accuracy))


def _over_batches(measure: Callable[[slice], float]) -> Estimate:
    values = [measure(slice(start, start + BATCH)) for start in range(0, BATCHES * BATCH, BATCH)]
    return Estimate(
        value=float(np.mean(values)), error=float(np.std(values, ddof=1) / np.sqrt(BATCHES))
    )


def _log_loss_bits(log_odds: np.ndarray, label: np.ndarray) -> np.ndarray:
    return np.asarray(np.logaddexp(0, np.where(label == 1, -log_odds, log_odds)) / np.log(2))
