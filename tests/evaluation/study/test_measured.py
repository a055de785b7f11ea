from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score

from mmmed.evaluation.bootstrap import Resampling
from mmmed.evaluation.scores import Scored
from mmmed.evaluation.study import measured
from mmmed.evaluation.study.cell import keep
from mmmed.evaluation.study.gap import find_gap
from mmmed.evaluation.study.measured import Bench, combine
from mmmed.evaluation.study.plan import Plan


def test_a_score_is_the_mean_over_models_and_never_pooled(make_law: Callable[..., object]) -> None:
    """Inside each fold the order is perfect; over both it is not, as one fold reads higher."""
    law = make_law(8, folds=2)
    models = tuple(
        replace(
            model,
            scored=Scored(
                model.scored.label,
                np.stack([1 - p, p], axis=1),
                model.scored.label,
                1,
            ),
        )
        for shift, model in zip((0.0, 0.5), law.models(0.0), strict=True)
        for p in [shift + 0.1 + 0.2 * model.scored.label]
    )
    chances = np.concatenate([model.scored.probabilities[:, 1] for model in models])
    label = np.concatenate([model.scored.label for model in models])
    assert roc_auc_score(label, chances) < 1
    assert law.bench().measure(models).mean["auroc"].value == 1


def test_values_are_means_of_scikit_learns_over_folds_and_seeds(
    make_law: Callable[..., object],
) -> None:
    law = make_law(60, folds=3)
    models = law.models(1.0, seeds=2)
    found = law.bench().measure(models)
    pairs = [(one.scored.label, one.scored.probabilities[:, 1]) for one in models]
    assert len(pairs) == 6
    assert found.mean["auroc"].value == pytest.approx(
        np.mean([roc_auc_score(y, p) for y, p in pairs])
    )
    assert found.mean["brier"].value == pytest.approx(
        np.mean([brier_score_loss(y, p) for y, p in pairs])
    )
    seeds = [
        np.mean(
            [
                roc_auc_score(y, p)
                for (y, p), one in zip(pairs, models, strict=True)
                if one.seed == s
            ]
        )
        for s in "01"
    ]
    assert found.by_seed("auroc") == pytest.approx(seeds)


def test_a_resample_scores_the_drawn_subjects_in_every_model(
    make_law: Callable[..., object],
) -> None:
    law = make_law(30, folds=2)
    models = law.models(1.0, seeds=2)
    drawn = Resampling.draw(law.name, draws=20, seed=3)
    found = Bench(drawn).measure(models).mean["auroc"].replicates
    for place in range(1, 21):
        times = dict(zip(sorted(law.name), drawn.counts[:, place], strict=True))
        areas = []
        for model in models:
            copies = np.repeat(np.arange(len(model.case)), [times[one] for one in model.subject])
            if len(set(model.scored.label[copies])) == 2:
                chance = model.scored.probabilities[copies, 1]
                areas.append(roc_auc_score(model.scored.label[copies], chance))
        assert found[place] == pytest.approx(np.mean(areas))


def test_blocks_change_nothing(
    make_law: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    law = make_law(20)
    models = law.models(1.0)
    whole = law.bench().measure(models).mean["f1"].replicates
    monkeypatch.setattr(measured, "BLOCK", 300)
    assert law.bench().measure(models).mean["f1"].replicates == pytest.approx(whole, nan_ok=True)


def test_a_model_of_one_class_is_left_out_of_the_mean(make_law: Callable[..., object]) -> None:
    law = make_law(40, folds=2)
    first, second = law.models(1.0)
    alone = keep(second, second.scored.label == 1)
    found = law.bench().measure((first, alone))
    assert found.mean["auroc"].value == law.bench().measure((first,)).mean["auroc"].value
    assert np.isnan(found.single["auroc"]).tolist() == [False, True]


def test_sets_are_made_alike_in_folds_seeds_and_cases(make_law: Callable[..., object]) -> None:
    law = make_law(20, folds=2)
    whole, fewer = law.models(1.0, seeds=2), law.models(1.0, seeds=2, keep=range(12))
    first, second = law.bench().alike(whole[1:], fewer)
    assert [(one.fold, one.seed) for one in first] == [("0", "1"), ("1", "0"), ("1", "1")]
    assert [set(one.case) for one in first] == [set(one.case) for one in second]
    assert {case for one in first for case in one.case} == set(law.name[:12])


def test_sets_that_are_alike_stay_as_they_are(make_law: Callable[..., object]) -> None:
    law = make_law(20, folds=2)
    one, other = law.models(1.0), law.models(2.0)
    assert law.bench().alike(one, other) == (one, other)


def test_a_sum_of_sets_is_the_sum_of_their_resamples(make_law: Callable[..., object]) -> None:
    law = make_law(20)
    bench = law.bench()
    one, other = bench.measure(law.models(1.0)), bench.measure(law.models(2.0))
    found = combine([one, other], [0.25, -2.0]).mean["brier"]
    expected = 0.25 * one.mean["brier"].replicates - 2 * other.mean["brier"].replicates
    assert found.replicates == pytest.approx(expected)


def test_parts_that_lack_a_measure_in_different_models_have_no_sum(
    make_law: Callable[..., object],
) -> None:
    """Where a reader separates the classes of one fold, that fold has no calibration line."""
    law = make_law(60, folds=2)
    bench = law.bench()
    whole = law.models(1.0)
    sure = replace(whole[0].scored, probabilities=np.eye(2)[whole[0].scored.label])
    torn = (replace(whole[0], scored=sure), whole[1])
    found = combine([bench.measure(whole), bench.measure(torn)], [0.5, 0.5])
    assert np.isnan(found.mean["calibration_slope"].value)
    assert np.isfinite(found.mean["auroc"].value)
    gap = find_gap(found, bench.measure(whole), "calibration_slope", plan=Plan())
    assert gap.reason is not None
