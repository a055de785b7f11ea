from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mmmed.errors import DataError
from mmmed.evaluation.known import (
    Ceiling,
    Oracle,
    find_ceiling,
    pattern_alone,
    read_oracle,
    remark,
)
from mmmed.evaluation.predictions import Key, Model
from mmmed.evaluation.scores import Scored, score


def model(label: list[int], pattern: list[str]) -> Model:
    n = len(label)
    scored = Scored(np.array(label), np.full((n, 2), 0.5), np.zeros(n, dtype=int), 1)
    case = tuple(f"sub-{i}" for i in range(n))
    return Model("0", "0", case, case, tuple(pattern), scored)


def test_the_oracle_is_read_from_the_truth() -> None:
    truth = {"cases": {"sub-1": {"label": 0, "log_odds": {"mri": -1.5, "mri+pet": 2}}}}
    assert read_oracle(truth).to_numpy().tolist() == [
        ["sub-1", "mri", -1.5],
        ["sub-1", "mri+pet", 2.0],
    ]


@pytest.mark.parametrize("truth", [{}, {"cases": {"sub-1": {}}}, {"cases": []}])
def test_a_truth_without_log_odds_is_named(truth: dict[str, object]) -> None:
    with pytest.raises(DataError, match=r"truth.json: holds no log-odds"):
        read_oracle(truth)


def test_the_oracle_sees_what_the_case_shows() -> None:
    table = pd.DataFrame(
        {"case_id": ["sub-0", "sub-0"], "pattern": ["mri", "pet"], "log_odds": [0.0, 3.0]}
    )
    found = Oracle(table).score(model([1], ["pet"]))
    assert found is not None
    assert found.probabilities[0, 1] == pytest.approx(1 / (1 + np.exp(-3)))
    assert found.decision.tolist() == [1]
    assert Oracle(table).score(model([1, 0], ["pet", "pet"])) is None


def test_a_ceiling_is_found_by_protocol_rate_and_pattern() -> None:
    rows = [
        {"protocol": "mcar", "rate": rate, "pattern": "mixed", "ceiling_images": {"auroc": value}}
        for rate, value in ((0.25, 0.93), (0.5, 0.9))
    ]
    rows.append(
        {"protocol": "every-pattern", "rate": None, "pattern": "mri", "ceiling_images": None}
    )
    key = Key("a", "mcar", 0.5, "mixed")
    assert find_ceiling({"rows": rows}, key, "auroc") == Ceiling(0.9, None, None)
    assert find_ceiling({"rows": rows}, key, "brier") == Ceiling()
    assert find_ceiling({"rows": rows}, Key("a", "every-pattern", -1, "mri"), "auroc") == Ceiling()
    assert find_ceiling(None, key, "auroc") == Ceiling()


@pytest.mark.parametrize(
    ("value", "images", "both", "oracle", "said"),
    [
        (0.92, 0.90, 0.95, 0.91, True),
        (0.92, 0.90, 0.95, None, True),
        (0.92, 0.90, 0.95, 0.93, False),  # a lucky test set
        (0.92, 0.90, 0.90, 0.89, False),  # absence says nothing
        (0.92, 0.90, None, 0.89, False),
        (0.89, 0.90, 0.95, 0.88, False),
    ],
)
def test_using_absence_as_evidence_is_said_only_where_it_can_be(
    value: float, images: float, both: float | None, oracle: float | None, said: bool
) -> None:
    found = remark(value, Ceiling(images, both), oracle=oracle)
    assert found == ("using absence as evidence" if said else None)


def test_the_pattern_alone_is_scored_by_hand() -> None:
    # mri: 1 of 4 positive, mri+pet: 3 of 4; 9 pairs right, 6 ties, 1 wrong: (9 + 3) / 16
    label = [1, 0, 0, 0, 1, 1, 1, 0]
    found = score(pattern_alone(model(label, ["mri"] * 4 + ["mri+pet"] * 4)))["auroc"][0]
    assert found == pytest.approx(12 / 16)
