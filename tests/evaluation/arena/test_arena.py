"""A small arena whose numbers are known by hand or from scipy and scikit-learn."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from mmmed.evaluation.arena.arena import Arena, arena
from mmmed.evaluation.arena.contest import Entrant, reference
from mmmed.evaluation.bootstrap import Interval
from mmmed.evaluation.study.plan import Plan

N = 80
SEEDS = (0, 1)
NOISE = {"plain": 3.0, "other": 1.3, "worst": 2.2, "middle": 1.6, "best": 1.0, "knn": 3.0}
"""Spread of the log-odds' noise without the PET; complete it is 0.5 for everyone."""
LOOKS = {"worst": 3.0, "middle": 2.0, "best": 1.0}
"""Mean absolute error of the imputed PET."""
ENTRANTS = tuple(
    Entrant(name, kind)
    for name, kind in (
        ("plain", None),
        ("other", None),
        ("worst", "cyclegan"),
        ("middle", "diffusion"),
        ("best", "pix2pix"),
        ("knn", "knn"),
    )
)
PLAN = Plan(interval=Interval(draws=200))
LABEL = np.arange(N) % 2


def predicted() -> pd.DataFrame:
    random = np.random.default_rng(0)
    burden = 2.0 * (2 * LABEL - 1) + random.normal(size=N)
    rows = []
    for name, noise in NOISE.items():
        for seed in SEEDS:
            for pattern, spread in (("mri", noise), ("pet", 2.0), ("mri+pet", 0.5)):
                p = expit(burden + spread * random.normal(size=N))
                rows += [
                    {
                        **about(case, name, seed),
                        "protocol": "every-pattern",
                        "rate": np.nan,
                        "owned": "mri+pet",
                        "pattern": pattern,
                        "label": ("CN", "AD")[LABEL[case]],
                        "p_CN": 1 - p[case],
                        "p_AD": p[case],
                        "decision": ("CN", "AD")[int(p[case] >= 0.5)],
                    }
                    for case in range(N)
                ]
    return pd.DataFrame(rows)


def about(case: int, method: str, seed: int) -> dict[str, object]:
    name = f"s{case:02}"
    return {
        "case_id": name,
        "subject_id": name,
        "session_id": "n/a",
        "site": "A",
        "split": "test",
        "fold": "holdout",
        "seed": str(seed),
        "method": method,
        "cohort": "demo",
        "train": "mcar 0.5",
    }


def lost_bits(predictions: pd.DataFrame, method: str, seed: int) -> np.ndarray:
    """log2 p(label) with the true PET minus with the imputed one, case by case."""
    mine = predictions[(predictions["method"] == method) & (predictions["seed"] == str(seed))]
    given = {}
    for pattern in ("mri", "mri+pet"):
        part = mine[mine["pattern"] == pattern].sort_values("case_id")
        given[pattern] = np.where(LABEL == 1, part["p_AD"], part["p_CN"])
    return np.asarray(np.log2(given["mri+pet"]) - np.log2(given["mri"]))


def imputed(predictions: pd.DataFrame) -> pd.DataFrame:
    """`best` looks worse where it loses more; the others look as they look."""
    random = np.random.default_rng(1)
    rows = []
    for name, look in LOOKS.items():
        for seed in SEEDS:
            error = look + random.uniform(-0.2, 0.2, size=N)
            if name == "best":
                error = look + 0.1 * np.argsort(np.argsort(lost_bits(predictions, name, seed))) / N
            for case in range(N):
                head = {**about(case, name, seed), "modality": "pet", "space": "image"}
                rows.append({**head, "figure": "mae", "error": float(error[case])})
                rows.append({**head, "figure": "ssim", "error": float(1 - error[case] / 10)})
    for seed in SEEDS:
        for case in range(N):
            head = {**about(case, "knn", seed), "modality": "pet", "space": "feature"}
            rows.append({**head, "figure": "mse", "error": 0.5})
    return pd.DataFrame(rows)


def jobs() -> dict[tuple[str, str], list[dict[str, dict[str, object]]]]:
    def job(own: float, training: float) -> dict[str, dict[str, object]]:
        return {
            "seconds": {
                "training": training,
                "phases": {"imputer": own, "head": training - own},
                "prediction": {"mri": 0.2, "mri+pet": 0.1},
            },
            "cost": {
                "training": {"imputer": 10.0 * own, "head": 5.0},
                "prediction": {"mri": 7, "mri+pet": 3},
            },
        }

    return {("best", "mcar 0.5"): [job(1800, 7200), job(3600, 10800)]}


@pytest.fixture(scope="module")
def predictions() -> pd.DataFrame:
    return predicted()


@pytest.fixture(scope="module")
def errors(predictions: pd.DataFrame) -> pd.DataFrame:
    return imputed(predictions)


@pytest.fixture(scope="module")
def found(predictions: pd.DataFrame, errors: pd.DataFrame) -> Arena:
    held = arena(
        predictions,
        errors,
        jobs(),
        entrants=ENTRANTS,
        classes=("CN", "AD"),
        positive="AD",
        plan=PLAN,
        lost=["pet"],
    )
    assert held is not None
    return held


def row_of(found: Arena, method: str) -> dict[str, object]:
    (row,) = (row for row in found.rows if row["method"] == method)
    return row


def auroc(predictions: pd.DataFrame, method: str, pattern: str) -> float:
    part = predictions[(predictions["method"] == method) & (predictions["pattern"] == pattern)]
    areas = [roc_auc_score(mine["label"] == "AD", mine["p_AD"]) for _, mine in part.groupby("seed")]
    return float(np.mean(areas))


def test_scores_gap_and_share_regained_are_those_of_scikit_learn(
    found: Arena, predictions: pd.DataFrame
) -> None:
    row = row_of(found, "best")
    plain, own, complete = (
        auroc(predictions, *where)
        for where in (("plain", "mri"), ("best", "mri"), ("best", "mri+pet"))
    )
    assert found.reference == "plain"
    assert row["without"] == pytest.approx(own)
    assert row["complete"] == pytest.approx(complete)
    assert row["gap"] == pytest.approx(own - plain)
    assert row["gap_low"] < row["gap"] < row["gap_high"]
    assert row["regained"] == pytest.approx((own - plain) / (complete - plain))
    assert row["regained_low"] < row["regained"] < row["regained_high"]


def test_the_reference_is_compared_with_nobody(found: Arena) -> None:
    assert "gap" not in row_of(found, "plain")
    assert row_of(found, "other")["gap"] is not None


def test_an_imputer_must_beat_the_hardest_who_does_not_impute(found: Arena) -> None:
    assert row_of(found, "best")["rival"] == "other"  # a better reader than the reference
    assert "rival" not in row_of(found, "other")


def test_image_errors_are_means_over_cases_then_models(found: Arena, errors: pd.DataFrame) -> None:
    mine = errors[(errors["method"] == "worst") & (errors["figure"] == "mae")]
    row = row_of(found, "worst")
    assert row["mae"] == pytest.approx(mine["error"].mean())
    assert row["mae_low"] < row["mae"] < row["mae_high"]
    (beside,) = (one for one in found.errors if (one["method"], one["figure"]) == ("worst", "mae"))
    assert (beside["n"], beside["models"], beside["against"]) == (N, 2, "best")
    assert beside["gap"] == pytest.approx(
        mine["error"].mean()
        - errors[(errors["method"] == "best") & (errors["figure"] == "mae")]["error"].mean()
    )


def test_an_imputer_of_features_has_no_image_error(found: Arena) -> None:
    assert "mae" not in row_of(found, "knn")
    assert {row["method"] for row in found.points} == {"worst", "middle", "best"}
    assert found.answers[-1].startswith("knn: imputed in the space of features")


def test_calibration_is_compared_with_and_without_the_scan(
    found: Arena, predictions: pd.DataFrame
) -> None:
    (row,) = (
        one for one in found.calibration if (one["method"], one["measure"]) == ("worst", "brier")
    )

    def brier(method: str, pattern: str) -> float:
        part = predictions[(predictions["method"] == method) & (predictions["pattern"] == pattern)]
        return float(((part["p_AD"] - (part["label"] == "AD")) ** 2).mean())

    assert row["damage"] == pytest.approx(brier("worst", "mri") - brier("worst", "mri+pet"))
    assert row["gap"] == pytest.approx(brier("worst", "mri") - brier("plain", "mri"))
    assert row_of(found, "worst")["brier_change"] == row["damage"]


def test_looks_and_diagnosis_between_imputers(found: Arena) -> None:
    by_figure = {row["figure"]: row for row in found.between}
    row = by_figure["mae"]
    assert row["imputers"] == 3
    assert row["rho"] == pytest.approx(-1)  # the better-looking imputer diagnoses better
    assert by_figure["ssim"]["rho"] == pytest.approx(-1)  # turned: more is worse
    assert row["p"] == pytest.approx(2 / 6)  # two of the six orders are as strong
    assert row["least_p"] == pytest.approx(2 / 6)
    assert "fewer than 5 can show nothing" in found.answers[1]
    assert "From imputer to imputer inconclusive" in found.answers[1]


def test_looks_and_diagnosis_within_an_imputer(
    found: Arena, predictions: pd.DataFrame, errors: pd.DataFrame
) -> None:
    rows = {row["method"]: row for row in found.within if row["figure"] == "mae"}
    assert rows["best"]["rho"] == pytest.approx(1)
    seeds = []
    for seed in SEEDS:
        mine = errors[
            (errors["method"] == "worst")
            & (errors["figure"] == "mae")
            & (errors["seed"] == str(seed))
        ].sort_values("case_id")
        bits = lost_bits(predictions, "worst", seed)
        seeds.append((spearmanr(mine["error"], bits).statistic, bits.mean()))
    assert rows["worst"]["rho"] == pytest.approx(np.mean([one for one, _ in seeds]))
    assert rows["worst"]["bits_lost"] == pytest.approx(np.mean([one for _, one in seeds]))
    assert rows["worst"]["low"] < 0 < rows["worst"]["high"]
    assert "over the cases of worst" in found.answers[1]


def test_costs_are_means_over_jobs_and_the_imputers_stand_apart(found: Arena) -> None:
    row = row_of(found, "best")
    assert (row["hours"], row["hours_imputer"]) == (2.5, 0.75)
    assert (row["operations"], row["operations_imputer"]) == (27005.0, 27000.0)
    assert (row["seconds_without"], row["operations_without"]) == (0.2, 7)
    assert row_of(found, "plain")["hours"] is None


def test_the_table_has_a_line_per_method(found: Arena) -> None:
    lines = found.to_csv().splitlines()
    assert len(lines) == 1 + len(ENTRANTS)
    assert lines[0].startswith("method,imputer,cohort,train,lost,n,models,complete,")


def test_a_study_without_an_imputer_has_no_arena(
    predictions: pd.DataFrame, errors: pd.DataFrame
) -> None:
    plain = [Entrant(name, None) for name in NOISE]
    held = arena(
        predictions, errors, {}, entrants=plain, classes=("CN", "AD"), positive="AD", plan=PLAN
    )
    assert held is None


def test_where_all_impute_nobody_is_the_reference(predictions: pd.DataFrame) -> None:
    part = predictions[predictions["method"].isin(["best", "knn"])]
    held = arena(
        part,
        pd.DataFrame(),
        {},
        entrants=[Entrant("best", "pix2pix"), Entrant("knn", "knn")],
        classes=("CN", "AD"),
        positive="AD",
        plan=PLAN,
    )
    assert held is not None
    assert held.reference is None
    assert {row["lost"] for row in held.rows} == {"mri", "pet"}
    assert not any("against the hardest" in answer for answer in held.answers)


def test_a_study_that_names_a_method_is_compared_with_it() -> None:
    assert reference(ENTRANTS, against="other") == "other"
    assert reference(ENTRANTS, against="knn") == "plain"  # it imputes


def test_an_error_that_is_no_number_leaves_its_case_out(
    predictions: pd.DataFrame, errors: pd.DataFrame
) -> None:
    broken = errors.copy()
    broken.loc[
        (broken["case_id"] == "s00") & (broken["method"] == "worst") & (broken["figure"] == "ssim"),
        "error",
    ] = np.nan
    held = arena(
        predictions,
        broken,
        {},
        entrants=ENTRANTS,
        classes=("CN", "AD"),
        positive="AD",
        plan=PLAN,
        lost=["pet"],
    )
    assert held is not None
    json.dumps(held.to_json(), allow_nan=False)
    counts = {row["method"]: row["n"] for row in held.within}
    assert (counts["worst"], counts["best"]) == (N - 1, N)
