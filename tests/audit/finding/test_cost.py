"""What is said of a lost scan."""

from __future__ import annotations

import pytest

from mmmed.absence import Hiding
from mmmed.audit.finding.cost import costs, worth
from mmmed.audit.words import Absence

HIDDEN = [Absence("mcar", "0.5", "holdout", Hiding("test", "pet", 50, 10, 40, 20))]


def test_the_slope_is_told_per_tenth_and_per_scan(tables, place) -> None:
    # -.2 per unit of rate is -.02 per tenth; 40 can be lost: -.2 / 40 = -.005
    (said,) = costs(tables({"one": 0.9}), place, "one", hidden=HIDDEN)
    assert said == (
        "With one, each further 10 % of pet lost changes AUROC by -.020 [-.030, -.010] (-0.005 per "
        "lost scan, of 40 in a test part), between 0% and 100% hidden (protocol mcar)."
    )


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("worse", "a loss that is shown"),
        ("worse here", "a loss of these trained models; other trainings could turn it"),
        ("no worse", "shown to cost less than .020"),
        (
            "inconclusive",
            "whether it costs anything is inconclusive (a loss below .060 was hardly to be seen)",
        ),
    ],
)
def test_losing_all_has_its_verdict(tables, versus, place, word: str, meant: str) -> None:
    whole = versus("one", "one", word, -0.2, kind="cost", rate=1.0, oracle=-0.1)
    (said,) = costs(tables({"one": 0.9}, whole), place, "one", hidden=HIDDEN)
    assert said.endswith(
        f"; from end to end -.200 [-.230, -.170]: {meant}; the best possible reader: -.100."
    )


def test_the_same_people_with_and_without_are_told(tables, versus, place) -> None:
    forced = {"kind": "cost", "protocol": "every-pattern", "other_pattern": "mri+pet"}
    lost = versus("one", "one", "worse", -0.1, pattern="mri", **forced)
    other = versus("one", "one", "worse", -0.3, pattern="pet", **forced)
    _, said = costs(tables({"one": 0.9}, other, lost), place, "one", hidden=HIDDEN)
    assert said == (
        "Where all lose pet (mri against mri+pet, the same 40 cases): -.100 [-.130, -.070]: a loss "
        "that is shown."
    )


def test_a_gain_that_no_method_shows_is_not_claimed(tables, versus, place) -> None:
    gain = {"kind": "gain", "pattern": "mri+pet", "other_pattern": "mri"}
    shown = tables({"one": 0.9}, versus("one", "two", "no worse", **gain))
    assert worth(shown, place, hidden=HIDDEN) == (
        "Not shown: no method gains from it over every reader of mri alone in this study (1 no "
        "worse)."
    )
    shown = tables({"one": 0.9}, versus("one", "two", "better here", **gain))
    assert str(worth(shown, place, hidden=HIDDEN)).startswith("Inconclusive: as trained here")
    shown = tables({"one": 0.9}, versus("one", "two", "better", 0.1, oracle=0.09, **gain))
    assert worth(shown, place, hidden=HIDDEN) == (
        "It is: shown to gain over every reader of mri alone in this study (one); the best "
        "possible: +.090."
    )


def test_a_gain_beyond_what_the_scan_can_tell_is_no_worth_of_the_scan(
    tables, versus, place
) -> None:
    gain = {"kind": "gain", "pattern": "mri+pet", "other_pattern": "mri"}
    shown = tables({"one": 0.9}, versus("one", "two", "better", 0.1, oracle=0.0, **gain))
    said = str(worth(shown, place, hidden=HIDDEN))
    assert said.startswith("Not by itself: one gain over every reader of mri alone")
    assert said.endswith("the best possible: +.000.")


def test_nothing_is_said_where_nothing_is_hidden(tables, place) -> None:
    assert worth(tables({"one": 0.9}), place, hidden=[]) is None
