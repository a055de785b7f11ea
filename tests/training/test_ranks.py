from __future__ import annotations

from typing import Any

import pytest
from rank_talk import talk
from two_ranks import both

from mmmed.errors import StudyError
from mmmed.training.ranks import environment, in_turn, joined, together, told


@pytest.fixture(scope="module")
def heard() -> list[dict[str, Any]]:
    return both(talk)


def test_all_ranks_hear_what_the_first_one_makes(heard: list[dict[str, Any]]) -> None:
    assert [one["told"] for one in heard] == ["from 0", "from 0"]


def test_a_fault_of_the_first_rank_is_everyones(heard: list[dict[str, Any]]) -> None:
    assert [one["fault told"] for one in heard] == ["StudyError: of 0"] * 2
    assert [one["leader fails"] for one in heard] == ["StudyError: the folder is in use"] * 2


def test_each_rank_makes_its_own(heard: list[dict[str, Any]]) -> None:
    assert [one["in turn"] for one in heard] == [0, 1]


def test_what_fails_on_one_rank_fails_on_all(heard: list[dict[str, Any]]) -> None:
    assert [one["first fails"] for one in heard] == ["DataError: no file on 0"] * 2
    assert [one["second fails"] for one in heard] == ["RanksError: rank 1: no file"] * 2


def test_a_fault_in_training_ends_a_rank_with_its_cause(heard: list[dict[str, Any]]) -> None:
    assert heard[1]["together"] == (
        "RanksError: rank 1 cannot train on, and so all end (ValueError: out of memory); "
        "remove the cause and go on with --resume"
    )


def test_a_rank_that_is_gone_is_not_waited_for(heard: list[dict[str, Any]]) -> None:
    assert heard[0]["gone"].startswith("RanksError: another rank has ended")


def test_without_a_launcher_everything_is_done_here() -> None:
    def fail() -> None:
        raise StudyError("as it is")

    assert environment() is None
    with joined("cpu"):
        assert told(lambda: 1) == in_turn(lambda: 1) == 1
        with pytest.raises(StudyError, match=r"^as it is$"), together():
            fail()
