"""The section of imputers: there where a run holds `arena.json`, and told where that is broken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mmmed.audit.report import write_report
from mmmed.errors import RunError

ROW = {
    "method": "<b>gan</b>",
    "imputer": "pix2pix",
    "cohort": None,
    "train": "mcar 0.5",
    "lost": "pet",
    "n": 40,
    "without": 0.8125,
    "without_low": 0.75,
    "without_high": 0.875,
    "hours": 1.5,
    "operations": 2.5e12,
}
WHOLE = {
    "mmmed-arena": 1,
    "reference": "late-sum",
    "measure": "auroc",
    "rows": [ROW],
    "answers": ["Does a better-looking pet mean a better diagnosis? Inconclusive."],
}


def test_a_run_without_imputers_has_no_such_section(run: Path) -> None:
    assert 'id="arena"' not in write_report(run).read_text(encoding="utf-8")


def test_answers_scores_and_costs_are_shown_and_text_is_escaped(run: Path) -> None:
    (run / "arena.json").write_text(json.dumps(WHOLE))
    page = write_report(run).read_text(encoding="utf-8")
    assert 'href="#arena"' in page
    assert "a better diagnosis? Inconclusive." in page
    assert ".812" in page
    assert "[.750, .875]" in page
    assert "<td>1.5</td>" in page
    assert "<td>2.5</td>" in page
    assert "&lt;b&gt;gan" in page
    assert "<b>gan" not in page


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is no JSON"),
        ("[]", "states no `mmmed-arena: 1`"),
        (json.dumps({"mmmed-arena": 1}), "is incomplete (KeyError('answers')); evaluate the run"),
    ],
)
def test_a_broken_arena_is_named_in_one_line(run: Path, text: str, said: str) -> None:
    (run / "arena.json").write_text(text)
    with pytest.raises(RunError) as caught:
        write_report(run)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
