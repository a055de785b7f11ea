"""What is said of imputing."""

from __future__ import annotations

import pytest

from mmmed.audit.finding.imputing import imputing
from mmmed.audit.finding.method import contest

AREAS = {"plain": 0.8, "poor": 0.6, "gan": 0.7, "mean": 0.65}


@pytest.mark.parametrize(
    ("word", "lead"),
    [
        ("worse", "It is not, it is shown to lose: gan, the best that imputes, against plain"),
        ("better", "It is, here: gan"),
        ("worse here", "Inconclusive, as trained here it loses, but other trainings could turn it"),
        ("inconclusive", "Inconclusive: gan, the best that imputes, against plain"),
        ("no worse", "Not shown, only that it loses less than the margin"),
    ],
)
def test_the_best_of_both_kinds_are_compared(tables, versus, place, word: str, lead: str) -> None:
    rows = [versus("gan", "plain", word, -0.1), versus("gan", "poor", "better", 0.1)]
    said = str(imputing(contest(tables(AREAS, *rows), place), ("gan", "mean")))
    assert said.startswith(lead)
    assert "-.100 [-.130, -.070] in mean AUROC over the hidden shares (all 2 comparisons" in said


def test_a_comparison_written_the_other_way_round_is_turned(tables, versus, place) -> None:
    rows = [versus("plain", "gan", "better", 0.1)]
    said = str(imputing(contest(tables(AREAS, *rows), place), ("gan", "mean")))
    assert said.startswith("It is not, it is shown to lose")
    assert "-.100 [-.130, -.070]" in said


def test_what_is_no_worse_than_imputing_leaves_imputing_open(tables, versus, place) -> None:
    rows = [versus("plain", "gan", "no worse", 0.0)]
    said = str(imputing(contest(tables(AREAS, *rows), place), ("gan", "mean")))
    assert said.startswith("Inconclusive: gan")


def test_without_an_imputer_that_was_scored_nothing_is_answered(tables, place) -> None:
    found = contest(tables({"plain": 0.8}), place)
    assert imputing(found, ()) is None
    assert imputing(found, ("gan",)) == "Not answered: no method that imputes was scored."
