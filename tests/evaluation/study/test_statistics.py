from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from mmmed.errors import DataError
from mmmed.evaluation.bootstrap import Interval
from mmmed.evaluation.calibration_error import calibration_error
from mmmed.evaluation.delong import delong
from mmmed.evaluation.study.plan import Plan
from mmmed.evaluation.study.statistics import TABLES, Statistics, study_statistics

PLAN = Plan(against="sharp", interval=Interval(draws=100))


def statistics(predictions: pd.DataFrame, **told: Any) -> Statistics:
    return study_statistics(
        predictions, **{"classes": ("CN", "AD"), "positive": "AD", "plan": PLAN, **told}
    )


@pytest.fixture(scope="module")
def study(make_study: Callable[..., Any]) -> Any:
    return make_study(n=60, methods={"sharp": 0.3, "dull": 2.0}, rates=(0.0, 0.5, 1.0), seeds=2)


@pytest.fixture(scope="module")
def found(study: Any) -> Statistics:
    ceilings = {
        "rows": [
            {
                "protocol": "every-pattern",
                "rate": None,
                "pattern": "mri",
                "ceiling_images": {"auroc": 0.85, "accuracy": 0.77, "error": 0.0},
                "ceiling_all": {"auroc": 0.86},
            }
        ]
    }
    return statistics(study.predictions, oracle=study.oracle, ceilings=ceilings)


def table(found: Statistics, name: str) -> pd.DataFrame:
    return pd.DataFrame(list(getattr(found, name)))


def test_scores_can_be_computed_again_from_the_table_alone(study: Any, found: Statistics) -> None:
    scores = table(found, "scores").query("measure == 'auroc' and table != 'stratum'")
    frame = study.predictions
    assert len(scores) == 2 * (3 + 3)
    for row in scores.to_dict("records"):
        part = frame[(frame["method"] == row["method"]) & (frame["protocol"] == row["protocol"])]
        if row["table"] == "forced":
            part = part[part["pattern"] == row["pattern"]]
        else:
            part = part[part["rate"] == row["rate"]]
        areas = [
            roc_auc_score(one["label"] == "AD", one["p_AD"]) for _, one in part.groupby("seed")
        ]
        assert row["value"] == pytest.approx(np.mean(areas))
        assert row["seed_spread"] == pytest.approx(np.std(areas, ddof=1))
        assert row["low"] <= row["value"] <= row["high"]
        assert (row["n"], row["n_positive"], row["models"], row["seeds"]) == (60, 30, 2, 2)


def test_scores_are_those_of_the_metrics_with_their_intervals(
    study: Any, found: Statistics, summarise: Callable[..., list[dict[str, Any]]]
) -> None:
    rows = summarise(study.predictions, classes=("CN", "AD"), positive="AD", interval=PLAN.interval)
    places = ["method", "protocol", "rate", "pattern"]
    one = pd.DataFrame(rows).rename(columns={"metric": "measure"}).query("table != 'sizes'")
    both = one.merge(
        table(found, "scores").query("table != 'stratum'"), on=[*places, "table", "measure"]
    )
    assert len(both) == 2 * (3 + 3) * 7
    for name in ("value", "low", "high", "seed_spread"):
        assert both[f"{name}_x"].to_numpy() == pytest.approx(both[f"{name}_y"].to_numpy()), name


def test_an_observed_table_stands_by_pattern_as_well(found: Statistics) -> None:
    rows = table(found, "scores").query(
        "table == 'stratum' and measure == 'brier' and method == 'dull'"
    )
    assert rows[["rate", "pattern", "n"]].to_numpy().tolist() == [
        [0.5, "mri", 30],
        [0.5, "mri+pet", 30],
    ]
    assert "stratum" not in set(table(found, "comparisons")["table"])


def test_scores_stand_beside_oracle_and_ceiling(study: Any, found: Statistics) -> None:
    scores = table(found, "scores").set_index(["method", "table", "pattern", "measure"])
    row = scores.loc["dull", "forced", "mri", "auroc"]
    odds = study.oracle[study.oracle["pattern"] == "mri"].set_index("case_id")["log_odds"]
    best = roc_auc_score(study.label, odds.loc[study.case])
    assert row["oracle"] == pytest.approx(best)
    assert (row["ceiling"], row["ceiling_all"]) == (0.85, 0.86)
    assert row["fraction"] == pytest.approx((row["value"] - 0.5) / (best - 0.5))
    assert row["fraction_low"] < row["fraction"] < row["fraction_high"]


def test_gains_and_costs_stand_beside_the_oracles(study: Any, found: Statistics) -> None:
    odds = study.oracle.pivot_table(index="case_id", columns="pattern", values="log_odds")
    best = {name: roc_auc_score(study.label, odds.loc[study.case, name]) for name in odds}
    rows = table(found, "comparisons")
    gain = rows[(rows["kind"] == "gain") & (rows["other_pattern"] == "mri")].iloc[0]
    assert gain["oracle"] == pytest.approx(best["mri+pet"] - best["mri"])
    assert f"the best possible reader: +{gain['oracle']:.3f}".replace("0.", ".") in gain["sentence"]
    assert rows.loc[rows["kind"] == "methods", "oracle"].isna().all()


def test_only_the_headline_measure_has_families(found: Statistics) -> None:
    rows = table(found, "comparisons")
    assert set(rows.loc[rows["word"].notna(), "measure"]) == {"auroc"}
    families = rows[rows["word"].notna()].groupby("kind")["family"].agg(["size", "max"])
    assert (families["size"] == families["max"]).all()
    assert set(families.index) == {"methods", "cost", "gain", "area", "slope"}


def test_every_fitted_model_has_delongs_interval(study: Any, found: Statistics) -> None:
    rows = table(found, "models").query("method == 'dull' and pattern == 'pet' and seed == '1'")
    frame = study.predictions.query("method == 'dull' and pattern == 'pet' and seed == '1'")
    areas = delong((frame["label"] == "AD").to_numpy(), frame["p_AD"].to_numpy()[None])
    (row,) = rows.to_dict("records")
    assert row["auroc"] == pytest.approx(areas.area[0])
    assert row["error"] == pytest.approx(np.sqrt(areas.covariance[0, 0]))
    assert (row["low"], row["high"]) == pytest.approx(areas.interval(0, level=0.95))


def test_cases_of_one_subject_have_no_delong_interval(study: Any) -> None:
    frame = study.predictions.assign(
        subject_id=study.predictions["case_id"].str.replace("sub-001", "sub-000")
    ).query("protocol == 'every-pattern'")
    rows = table(statistics(frame), "models")
    assert rows["low"].isna().all()
    assert set(rows["reason"]) == {"several cases of one subject"}


def test_the_calibration_error_stands_beside_its_null_with_cases_enough(
    make_study: Callable[..., Any], found: Statistics
) -> None:
    few = table(found, "scores").query("measure == 'ece'")
    assert few["value"].isna().all()
    assert set(few["reason"]) == {"a model was tested on fewer than 200 cases"}
    large = make_study(n=220, methods={"sharp": 0.3}, rates=())
    rows = table(statistics(large.predictions), "scores")
    row = rows.query("measure == 'ece' and pattern == 'mri'").iloc[0]
    frame = large.predictions.query("pattern == 'mri'")
    error = calibration_error(frame["p_AD"].to_numpy(), (frame["label"] == "AD").to_numpy())
    assert error is not None
    assert (row["value"], row["null"]) == pytest.approx((error.value, error.null))


def test_order_of_rows_changes_nothing(study: Any, found: Statistics) -> None:
    mixed = study.predictions.sample(frac=1, random_state=0)
    again = statistics(mixed)
    one, other = (table(which, "comparisons") for which in (found, again))
    columns = [
        "kind",
        "method",
        "protocol",
        "rate",
        "pattern",
        "measure",
        "value",
        "low",
        "p_claim",
    ]
    pd.testing.assert_frame_equal(one[columns], other[columns])


def test_the_same_seed_gives_the_same_document(study: Any) -> None:
    forced = study.predictions.query("protocol == 'every-pattern'")
    one, other = (json.dumps(statistics(forced).to_json()) for _ in range(2))
    assert one == other


def test_the_document_is_json_and_its_tables_are_csv(found: Statistics) -> None:
    document = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert document["mmmed-study"] == 1
    for name, text in found.to_csv().items():
        assert len(pd.read_csv(io.StringIO(text))) == len(document[name]), name
    assert set(found.to_csv()) == set(TABLES)


def test_the_answers(found: Statistics) -> None:
    which, methods, cost, *gains = found.answers
    assert which == (
        "mcar: sharp has the highest mean AUROC over the rates in 98% of the draws of subjects; "
        "shown to be better than 1 of the 1 it is compared with"
    )
    assert methods.startswith("One method against another in the same place, 6 comparisons")
    assert cost.startswith("What the models lose without modalities")
    assert [gain.split(",")[0] for gain in gains] == ["mri+pet against mri", "mri+pet against pet"]


def test_cohorts_and_trainings_stand_apart(study: Any) -> None:
    forced = study.predictions.query("protocol == 'every-pattern'")
    parts = [
        forced.assign(cohort=cohort, train=train)
        for cohort in ("own", "other")
        for train in ("complete", "mcar 0.5")
    ]
    found = statistics(pd.concat(parts))
    scores = table(found, "scores").query("measure == 'auroc' and pattern == 'mri'")
    assert len(scores.groupby(["cohort", "train"])) == 4
    rows = table(found, "comparisons")
    trained = rows[(rows["kind"] == "training") & (rows["measure"] == "auroc")]
    assert set(zip(trained["train"], trained["other_train"], strict=True)) == {
        ("mcar 0.5", "complete")
    }
    assert (trained["value"] == 0).all()
    assert set(trained["word"]) == {"no worse"}


def test_a_fold_without_a_class_is_named(study: Any) -> None:
    frame = study.predictions.query("pattern == 'mri' and protocol == 'every-pattern'").copy()
    frame["fold"] = np.where(frame["label"] == "AD", "1", "0")
    half = frame["case_id"] < "sub-030"
    frame.loc[half, "fold"] = "2"
    row = table(statistics(frame), "scores").query("measure == 'auroc'").iloc[0]
    assert row["undefined"] == 4
    assert row["reason"] == "fold 0, seed 0: all cases are CN"


def test_more_classes_are_headed_by_accuracy() -> None:
    random = np.random.default_rng(0)
    names = np.array(["a", "b", "c"])
    frames = []
    for method, sure in (("sharp", 6.0), ("dull", 0.5)):
        label = np.arange(60) % 3
        p = random.dirichlet(np.ones(3), 60) + sure * np.eye(3)[label]
        p /= p.sum(axis=1, keepdims=True)
        case = [f"sub-{i:02d}" for i in range(60)]
        frame = pd.DataFrame({"case_id": case, "subject_id": case, "label": names[label]})
        frame = frame.assign(
            session_id="n/a",
            site="A",
            split="test",
            fold="0",
            seed="0",
            method=method,
            protocol="every-pattern",
            rate=np.nan,
            owned="x",
            pattern="x",
            decision=names[p.argmax(axis=1)],
            **{f"p_{name}": p[:, k] for k, name in enumerate(names)},
        )
        frames.append(frame)
    found = statistics(pd.concat(frames), classes=tuple(names), positive=None)
    assert found.headline == "accuracy"
    (row,) = [row for row in found.comparisons if row.get("word")]
    assert (row["measure"], row["word"]) == ("accuracy", "worse here")
    assert found.models == ()


def test_a_table_without_labels_is_refused(study: Any) -> None:
    with pytest.raises(DataError, match="no test case has a label"):
        statistics(study.predictions.assign(label="n/a"))


def test_an_unknown_positive_class_is_refused(study: Any) -> None:
    with pytest.raises(DataError, match="positive class 'MCI' is no class; allowed: CN, AD"):
        statistics(study.predictions, positive="MCI")


def test_a_reference_without_predictions_is_refused(study: Any) -> None:
    with pytest.raises(DataError, match="against: 'blunt' predicts nothing; known: dull, sharp"):
        statistics(study.predictions, plan=Plan(against="blunt"))


def test_train_protocols_that_are_not_told_apart_are_refused(study: Any) -> None:
    with pytest.raises(
        DataError, match=r"sub-\d+: stands twice under dull, every-pattern.*`train`"
    ):
        statistics(pd.concat([study.predictions, study.predictions]))
