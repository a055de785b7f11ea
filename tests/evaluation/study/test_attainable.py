from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from mmmed.evaluation.study.attainable import Attainable


def test_the_oracle_scores_the_very_cases(make_law: Callable[..., object]) -> None:
    law = make_law(40, folds=2)
    oracle = pd.DataFrame({"case_id": law.name, "pattern": "mri", "log_odds": law.odds})
    bench = law.bench()
    attainable = Attainable(bench, oracle=oracle, ceilings=None)
    found = attainable.best(law.models(1.0, seeds=2))
    areas = [roc_auc_score(law.label[law.fold == k], law.odds[law.fold == k]) for k in (0, 1)]
    assert found is not None
    assert found.mean["auroc"].value == pytest.approx(sum(areas) / 2)
    assert attainable.best(law.models(2.0, seeds=2)) is found


def test_what_the_truth_does_not_hold_is_not_guessed(make_law: Callable[..., object]) -> None:
    law = make_law(10)
    part = pd.DataFrame({"case_id": law.name[1:], "pattern": "mri", "log_odds": law.odds[1:]})
    models = law.models(1.0)
    for oracle in (part, None):
        attainable = Attainable(law.bench(), oracle=oracle, ceilings=None)
        assert attainable.best(models) is None
        assert attainable.gap(models, models, measure="auroc") is None


def test_a_stratum_has_no_ceiling(
    make_law: Callable[..., object], at: Callable[..., object]
) -> None:
    row = {"protocol": "mcar", "rate": 0.5, "pattern": "mixed", "ceiling_images": {"auroc": 0.9}}
    attainable = Attainable(make_law(10).bench(), oracle=None, ceilings={"rows": [row]})
    assert attainable.ceiling(at(0.5), "auroc").images == 0.9
    stratum = type(at(0.5))("", "", "mcar", 0.5, "mixed", "stratum")
    assert attainable.ceiling(stratum, "auroc").images is None
