"""Sentences and counts of a run, from the rows of its tables."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pandas as pd
import pytest

from mmmed.absence import draw
from mmmed.audit.words import absences, answer
from mmmed.mechanism import Mcar

OWNED = pd.DataFrame(
    {
        "mri": [True, True, True, True, False, False],
        "pet": [True, True, True, False, True, True],
    },
    index=[f"c{number}" for number in range(6)],
)
"""Three cases with both, one with an MRI alone, two with a PET alone."""


def presence_rows(owned: pd.DataFrame, shown: pd.DataFrame) -> list[dict[str, str]]:
    status = {(True, True): "shown", (True, False): "hidden", (False, False): "absent"}
    return [
        {
            "protocol": "mcar",
            "rate": "0.5",
            "fold": "holdout",
            "split": "test",
            "case_id": case,
            "modality": name,
            "status": status[bool(owned.loc[case, name]), bool(shown.loc[case, name])],
        }
        for case in owned.index
        for name in owned.columns
    ]


@pytest.mark.parametrize("rate", [0.0, 1 / 3, 1.0])
def test_a_table_of_presence_tells_what_the_draw_told(rate: float) -> None:
    split = pd.Series("test", index=OWNED.index)
    protocol = Mcar(modality="pet", rate=rate)
    drawn = draw([protocol], OWNED, split=split, covariates=pd.DataFrame(index=OWNED.index))
    told = {one.hiding.modality: one.hiding for one in absences(presence_rows(OWNED, drawn.table))}
    assert told["pet"] == drawn.hidings[0]


def test_a_case_that_owns_nothing_else_cannot_be_hidden_and_is_not_counted_so() -> None:
    shown = OWNED.assign(pet=[True, False, True, False, True, True])
    (pet,) = [one for one in absences(presence_rows(OWNED, shown)) if one.hiding.modality == "pet"]
    assert pet.hiding.sentence == "pet: 1 naturally absent, 1 of 3 hidden, 2 of 6 (33 %) without"


def scored(pattern: str, *, table: str = "forced", method: str = "m") -> dict[str, Any]:
    return {
        "method": method,
        "protocol": "every-pattern",
        "rate": None,
        "pattern": pattern,
        "table": table,
        "metric": "accuracy",
        "value": 0.9,
        "low": 0.85,
        "high": 0.95,
        "n": 40,
        "fraction": None,
        "remark": None,
    }


def test_many_patterns_are_told_by_their_size() -> None:
    names = ["+".join(one) for size in (1, 2, 3, 4) for one in combinations("abcd", size)]
    rows = [*map(scored, names), scored("any 2 of 4", table="sizes")]
    gaps = [
        {**row, "against": "m", "method": "n", "value": 0.02, "low": 0.01, "high": 0.03}
        for row in rows
    ]
    assert answer(rows, gaps, metric="accuracy") == [
        "m, every case showing any 2 of 4 only: Accuracy .900 (interval .850 to .950) in 40 cases.",
        "n against m, every-pattern, any 2 of 4: Accuracy +0.020 [+0.010, +0.030].",
        "0 of 1 paired differences hold 0. No correction for looking many times.",
    ]


def test_few_patterns_are_told_one_by_one() -> None:
    rows = [scored("mri"), scored("pet"), scored("mri+pet")]
    assert [line.split(":")[0] for line in answer(rows, [], metric="accuracy")] == [
        f"m, every case showing {name} only" for name in ("mri", "pet", "mri+pet")
    ]
