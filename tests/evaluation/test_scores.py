from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from mmmed.evaluation.scores import METRICS, Scored, auroc, headline, score, why_undefined


def scored(label: list[int], chance: list[float], *, positive: int | None = 1) -> Scored:
    p = np.array(chance, dtype=float)
    decision = (p >= 0.5).astype(np.int64)
    return Scored(np.array(label), np.stack([1 - p, p], axis=1), decision, positive)


def many_classes(*, seed: int, n: int = 60, classes: int = 4) -> Scored:
    generator = np.random.default_rng(seed)
    label = np.arange(n) % classes
    chances = generator.dirichlet(np.ones(classes), size=n)
    chances = 0.7 * chances + 0.3 * np.eye(classes)[label] * generator.random((n, 1))
    chances /= chances.sum(axis=1, keepdims=True)
    return Scored(label, chances, chances.argmax(axis=1), None)


def plain(cases: Scored) -> dict[str, float]:
    return {name: float(values[0]) for name, values in score(cases).items()}


@st.composite
def binary(draw: st.DrawFn) -> Scored:
    """Both classes, and probabilities coarse enough for many ties."""
    n = draw(st.integers(2, 25))
    label = draw(
        st.lists(st.integers(0, 1), min_size=n, max_size=n).filter(lambda x: 0 < sum(x) < n)
    )
    chance = draw(st.lists(st.integers(0, 8), min_size=n, max_size=n))
    return scored(label, [one / 8 for one in chance])


@given(binary())
def test_two_class_scores_are_scikit_learns(cases: Scored) -> None:
    y, p, d = cases.label, cases.probabilities[:, 1], cases.decision
    found = plain(cases)
    assert found["auroc"] == pytest.approx(sk.roc_auc_score(y, p))
    assert found["ap"] == pytest.approx(sk.average_precision_score(y, p))
    assert found["accuracy"] == pytest.approx(sk.accuracy_score(y, d))
    assert found["balanced_accuracy"] == pytest.approx(sk.balanced_accuracy_score(y, d))
    assert found["f1"] == pytest.approx(sk.f1_score(y, d, zero_division=0))
    assert found["sensitivity"] == pytest.approx(sk.recall_score(y, d))
    assert found["specificity"] == pytest.approx(sk.recall_score(y, d, pos_label=0))
    assert found["brier"] == pytest.approx(sk.brier_score_loss(y, p))
    assert found["log_loss"] == pytest.approx(sk.log_loss(y, cases.probabilities))


@pytest.mark.parametrize("seed", range(5))
def test_scores_of_more_classes_are_scikit_learns(seed: int) -> None:
    cases = many_classes(seed=seed)
    y, p, d = cases.label, cases.probabilities, cases.decision
    found = plain(cases)
    one_hot = np.eye(4)[y]
    assert found["auroc"] == pytest.approx(sk.roc_auc_score(y, p, multi_class="ovr"))
    assert found["ap"] == pytest.approx(sk.average_precision_score(one_hot, p, average="macro"))
    assert found["accuracy"] == pytest.approx(sk.accuracy_score(y, d))
    assert found["balanced_accuracy"] == pytest.approx(sk.balanced_accuracy_score(y, d))
    assert found["f1"] == pytest.approx(sk.f1_score(y, d, average="macro"))
    assert found["brier"] == pytest.approx(((p - one_hot) ** 2).sum(axis=1).mean())
    assert found["log_loss"] == pytest.approx(sk.log_loss(y, p))


EXACT = [name for name in METRICS if not name.startswith("calibration")]
"""A weighted calibration line is right to first order: see `test_resampled`."""


@given(binary(), st.lists(st.integers(0, 3), min_size=25, max_size=25))
def test_a_weight_is_a_number_of_copies(cases: Scored, counts: list[int]) -> None:
    times = np.array(counts[: len(cases.label)])
    weighted = score(cases, times[:, None].astype(float))
    copies = cases.rows(np.repeat(np.arange(len(times)), times))
    if len(set(copies.label.tolist())) < 2:
        return
    repeated = score(copies)
    for name in EXACT:
        assert weighted[name] == pytest.approx(repeated[name], nan_ok=True, rel=1e-6), name


def test_auroc_by_hand() -> None:
    # positives .9 and .4; negatives .4 and .1: 3 pairs right, one tie: (3 + 1/2) / 4
    label = np.array([True, True, False, False])
    value = np.array([0.9, 0.4, 0.4, 0.1])
    assert auroc(label, value, np.ones((4, 1)))[0] == 0.875


def test_f1_is_about_the_named_class() -> None:
    label, chance = [0, 0, 0, 1], [0.1, 0.2, 0.9, 0.8]
    assert plain(scored(label, chance, positive=1))["f1"] == pytest.approx(2 / 3)
    assert plain(scored(label, chance, positive=0))["f1"] == pytest.approx(4 / 5)


def test_sensitivity_of_more_classes_is_about_the_named_class() -> None:
    cases = many_classes(seed=0)
    named = Scored(cases.label, cases.probabilities, cases.decision, 2)
    assert plain(named)["sensitivity"] == pytest.approx(
        sk.recall_score(cases.label, cases.decision, labels=[2], average="macro")
    )
    assert math.isnan(plain(cases)["sensitivity"])


@pytest.mark.parametrize("label", [0, 1])
def test_one_class_alone_is_undefined_and_never_zero(label: int) -> None:
    cases = scored([label] * 3, [0.2, 0.6, 0.7])
    found = plain(cases)
    for name in ("auroc", "ap", "balanced_accuracy", "f1", "calibration_slope"):
        assert math.isnan(found[name]), name
        assert why_undefined(name, cases, ["CN", "AD"]) == f"all cases are {['CN', 'AD'][label]}"
    assert math.isfinite(found["accuracy"])
    assert why_undefined("accuracy", cases, ["CN", "AD"]) is None


def test_an_absent_class_of_several_is_named() -> None:
    cases = many_classes(seed=1).rows(np.flatnonzero(many_classes(seed=1).label != 2))
    assert why_undefined("auroc", cases, list("abcd")) == "no case is c"
    assert math.isnan(plain(cases)["auroc"])


def test_no_cases_is_a_reason() -> None:
    cases = scored([0, 1], [0.1, 0.9]).rows(np.array([], dtype=np.int64))
    assert why_undefined("accuracy", cases, ["CN", "AD"]) == "no cases"


def test_two_classes_are_headed_by_auroc_and_more_by_accuracy() -> None:
    assert headline(("CN", "AD")) == "auroc"
    assert headline(("CN", "MCI", "AD")) == "accuracy"
