"""What is said of who leads."""

from __future__ import annotations

import pytest

from mmmed.audit.finding.method import contest, which

AREAS = {"one": 0.9, "two": 0.8, "three": 0.7}
LED = "mean AUROC over the hidden shares .900 [.800, 1.000], first in 75% of the draws of subjects"


def said(statistics, place, *, seeds: int = 2) -> str:
    found = contest(statistics, place)
    return which(found, found.leader, seeds=seeds)


def test_a_leader_who_beats_all_is_named_first(tables, versus, place) -> None:
    shown = tables(AREAS, versus("one", "two", "better"), versus("one", "three", "better"))
    assert said(shown, place) == f"one: shown to be better than two and three ({LED})."


def test_a_comparison_written_the_other_way_round_counts_as_well(tables, versus, place) -> None:
    shown = tables(AREAS, versus("two", "one", "worse"), versus("three", "one", "worse"))
    assert said(shown, place).startswith("one: shown to be better than two and three")


def test_a_leader_who_beats_some_is_not_said_to_beat_all(tables, versus, place) -> None:
    shown = tables(AREAS, versus("one", "two", "inconclusive"), versus("one", "three", "better"))
    assert said(shown, place) == (
        f"one leads ({LED}) and is shown to be better than three; against the others: "
        "1 inconclusive."
    )


def test_a_leader_who_beats_nobody_leaves_the_question_open(tables, versus, place) -> None:
    shown = tables(AREAS, versus("one", "two", "no worse"), versus("three", "one", "no worse"))
    assert said(shown, place) == (
        f"Inconclusive: one leads ({LED}), but is shown to be better than none of the other 2."
    )


@pytest.mark.parametrize(
    ("seeds", "why"), [(1, "each was trained once"), (3, "other trainings could turn it")]
)
def test_a_lead_of_trained_models_is_no_claim_about_methods(
    tables, versus, place, seeds: int, why: str
) -> None:
    shown = tables(AREAS, versus("one", "two", "better here"))
    told = said(shown, place, seeds=seeds)
    assert told.startswith("Inconclusive: one leads")
    assert told.endswith(f"As trained here it beats two; of the methods nothing follows, as {why}.")


def test_a_method_alone_is_compared_with_nobody(tables, place) -> None:
    assert said(tables({"one": 0.9}), place).startswith("One was scored: one, mean AUROC")


def test_without_rates_methods_meet_under_the_largest_pattern(tables, versus) -> None:
    from mmmed.audit.finding.place import Place

    head = {"cohort": None, "train": "mcar 0.5", "protocol": "every-pattern", "table": "forced"}
    scores = [
        {**head, "method": name, "pattern": pattern, "value": value, "low": None, "high": None}
        for name, pattern, value in (
            ("one", "mri", 0.99),
            ("one", "mri+pet", 0.7),
            ("two", "mri+pet", 0.8),
        )
    ]
    found = contest(tables({"one": 0.5}, scores=scores), Place(None, "mcar 0.5", "every-pattern"))
    assert found.leader == "two"
    assert which(found, "two", seeds=1).startswith("Inconclusive: two leads (AUROC under mri+pet")
