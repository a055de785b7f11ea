from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from mmmed.evaluation.text import cell, markdown, number, pattern_table, robustness_table


def row(method: str, rate: float | None, value: float | None, **more: Any) -> dict[str, Any]:
    return {
        "method": method,
        "protocol": "mcar",
        "rate": rate,
        "pattern": "mixed",
        "table": "observed",
        "metric": "auroc",
        "value": value,
        "low": None if value is None else value - 0.05,
        "high": None if value is None else value + 0.05,
        "n": 200,
        "positive": "AD",
        "reason": None,
        "fraction": None,
        "oracle": None,
        "ceiling": None,
        "remark": None,
        **more,
    }


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.9306, ".931"), (-0.05, "-.050"), (1.0, "1.000"), (10.2, "10.200"), (None, "n/a")],
)
def test_numbers_have_three_decimals_and_no_leading_zero(value: float | None, text: str) -> None:
    assert number(value) == text


def test_a_cell_holds_value_interval_and_fraction() -> None:
    assert cell(row("a", 0.5, 0.85, fraction=0.93)) == ".850 [.800, .900] 93%"


def test_a_cell_without_a_number_says_why() -> None:
    assert cell(row("a", 0.5, None, reason="all cases are CN")) == "none: all cases are CN"


def test_a_cell_says_that_absence_was_used() -> None:
    text = cell(row("a", 0.5, 0.85, remark="using absence as evidence"))
    assert text.endswith("(using absence as evidence)")


def test_methods_stand_against_rates_with_the_oracle_below() -> None:
    rows = [
        row("b", 0.5, 0.8, oracle=0.9, fraction=0.75),
        row("a", 0.5, 0.85, oracle=0.9),
        row("b", 0.0, 0.9, oracle=0.95),
        row("a", 0.0, 0.92, oracle=0.95),
    ]
    lines = robustness_table(rows).splitlines()
    assert "observed: each case under what it has (mcar)" in lines[0]
    assert [part.strip() for part in lines[2].split("|")[1:-1]] == [
        "method",
        "0% hidden",
        "50% hidden",
    ]
    assert lines[4].startswith("| b ")
    assert lines[5].startswith("| a ")
    assert [part.strip() for part in lines[6].split("|")[1:-1]] == [
        "oracle, same cases",
        ".950",
        ".900",
    ]


def test_patterns_with_fewest_modalities_come_first() -> None:
    rows = [row("a", None, 0.9, table="forced", pattern=name) for name in ("mri+pet", "pet", "mri")]
    head = pattern_table(rows).splitlines()[2]
    assert head.index("mri (n = 200)") < head.index("pet (n = 200)") < head.index("mri+pet")


def test_what_is_attainable_stands_below_the_patterns() -> None:
    rows = [
        row("a", None, 0.9, table="forced", pattern=name, oracle=0.93, ceiling=best)
        for name, best in (("mri", 0.85), ("mri+pet", 0.945))
    ]
    lines = pattern_table(rows, attainable={"mri": 0.8, "mri+pet": 0.92}).splitlines()[-3:]
    assert [[part.strip() for part in line.split("|")[1:-1]] for line in lines] == [
        ["oracle, same cases", ".930", ".930"],
        ["ceiling", ".850", ".945"],
        ["ridge read-out", ".800", ".920"],
    ]


def test_no_forced_table_is_no_text() -> None:
    assert pattern_table([row("a", 0.5, 0.9)]) == ""


def test_columns_line_up() -> None:
    lines = markdown(["a", "long head"], [["wide cell", "1"]]).splitlines()
    assert len({len(line) for line in lines}) == 1


def test_many_patterns_are_told_by_their_size() -> None:
    names = ["+".join(one) for size in (1, 2, 3, 4) for one in combinations("abcd", size)]
    rows = [row("m", None, 0.5, table="forced", pattern=name) for name in names]
    rows += [
        row("m", None, size / 10, table="sizes", pattern=f"any {size} of 4") for size in (2, 1)
    ]
    lines = pattern_table(rows).splitlines()
    assert lines[0].endswith("forced, any k modalities: mean over all patterns of k")
    assert [part.strip() for part in lines[2].split("|")[1:-1]] == [
        "method",
        "any 1 of 4 (n = 200)",
        "any 2 of 4 (n = 200)",
    ]
    assert [part.strip() for part in lines[4].split("|")[1:-1]] == [
        "m",
        ".100 [.050, .150]",
        ".200 [.150, .250]",
    ]
