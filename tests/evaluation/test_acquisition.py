"""Curves of acquired scans: their ends, random as its closed form, and no claim without a gain."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, log_loss, roc_auc_score

from mmmed.evaluation.acquisition import Lacking, acquired, bits_told, curves, gains, most_of_it
from mmmed.evaluation.bootstrap import Interval, Resampling
from mmmed.evaluation.scores import Scored
from mmmed.evaluation.study.plan import Plan

PLAN = Plan(interval=Interval(draws=200))


def scored(label: np.ndarray, odds: np.ndarray) -> Scored:
    chance = 1 / (1 + np.exp(-odds))
    return Scored(label, np.stack([1 - chance, chance], axis=1), (odds > 0).astype(np.int64), 1)


@pytest.fixture
def lacking() -> Lacking:
    """Half of the cases gain from the scan, and the bits say which; the others keep theirs."""
    random = np.random.default_rng(0)
    label = np.arange(120) % 2
    odds = (2 * label - 1) * 0.5 + random.standard_normal(120)
    gaining = np.arange(120) % 4 < 2
    then = odds + np.where(gaining, (2 * label - 1) * 3.0, 0.0)
    subject = tuple(f"s{row}" for row in range(120))
    return Lacking(subject, scored(label, odds), scored(label, then), gaining.astype(float))


@pytest.mark.parametrize("end", [0, -1])
@pytest.mark.parametrize("order", ["bits", "random", "hindsight"])
def test_the_ends_are_the_scores_without_and_with_every_scan(
    lacking: Lacking, end: int, order: str
) -> None:
    cases = lacking.now if end == 0 else lacking.then
    chance, found = cases.probabilities[:, 1], curves([lacking])[order]
    assert found["log_loss"][end] == pytest.approx(log_loss(cases.label, chance))
    assert found["auroc"][end] == pytest.approx(roc_auc_score(cases.label, chance))
    assert found["balanced_accuracy"][end] == pytest.approx(
        balanced_accuracy_score(cases.label, cases.decision)
    )


def test_random_is_the_mean_over_drawn_acquisitions(lacking: Lacking) -> None:
    random = np.random.default_rng(1)
    drawn = []
    for _ in range(300):
        taken = random.random(120) < 0.3
        drawn.append(
            roc_auc_score(
                lacking.now.label,
                np.where(taken, lacking.then.probabilities[:, 1], lacking.now.probabilities[:, 1]),
            )
        )
    error = np.std(drawn) / np.sqrt(len(drawn))
    assert curves([lacking])["random"]["auroc"][3] == pytest.approx(np.mean(drawn), abs=4 * error)


def test_bits_that_know_who_gains_reach_the_full_gain_at_half(lacking: Lacking) -> None:
    found = curves([lacking])
    told = gains([lacking], Resampling.draw(lacking.subject, draws=200, seed=0), PLAN)
    assert found["bits"]["log_loss"][5] == pytest.approx(found["bits"]["log_loss"][-1])
    assert most_of_it(found["bits"]["log_loss"], told["log_loss"]["full"]) == 0.5
    assert told["log_loss"]["over_random"]["low"] > 0
    assert told["log_loss"]["over_random"]["p"] < 1e-6


def test_bits_that_tell_no_case_apart_gain_nothing_over_random(lacking: Lacking) -> None:
    blind = replace(lacking, bits=lacking.bits * 1e-15)
    told = gains([blind], Resampling.draw(blind.subject, draws=200, seed=0), PLAN)
    for measure in told.values():
        assert measure["over_random"]["value"] == 0
        assert measure["over_random"]["p"] == 1


def test_a_scan_that_changes_nothing_has_no_share_at_which_most_is_reached(
    lacking: Lacking,
) -> None:
    same = replace(lacking, then=lacking.now)
    told = gains([same], Resampling.draw(same.subject, draws=200, seed=0), PLAN)
    found = curves([same])["bits"]["log_loss"]
    assert most_of_it(found, told["log_loss"]["full"]) is None


def test_the_order_by_bits_is_blind_to_labels(lacking: Lacking) -> None:
    other = replace(lacking.now, label=1 - lacking.now.label)
    turned = replace(lacking, now=other, then=replace(lacking.then, label=other.label))
    assert (turned.orders()["bits"] == lacking.orders()["bits"]).all()
    assert (turned.orders()["hindsight"] != lacking.orders()["hindsight"]).any()


def test_ties_share_what_is_left_of_the_budget() -> None:
    weights = np.array([[1.0], [1.0], [2.0], [0.0]])
    found = acquired(np.array([5.0, 1.0, 1.0, 9.0]), weights, 0.5)
    assert found[:, 0] == pytest.approx([1.0, 1 / 3, 2 / 3, 0.0])


def test_a_fold_that_a_resample_leaves_out_leaves_the_means_known(lacking: Lacking) -> None:
    def part(rows: slice) -> Lacking:
        chosen = np.arange(120)[rows]
        names = tuple(lacking.subject[row] for row in chosen)
        return Lacking(
            names, lacking.now.rows(chosen), lacking.then.rows(chosen), lacking.bits[chosen]
        )

    models = [part(slice(0, 2)), part(slice(2, 120))]
    told = bits_told(models, Resampling.draw(lacking.subject, draws=200, seed=0), PLAN)
    assert told["expected"]["value"] == pytest.approx((1.0 + 58 / 118) / 2)
    assert told["expected"]["low"] < told["expected"]["value"] < told["expected"]["high"] + 1e-9
