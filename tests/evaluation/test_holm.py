from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmmed.evaluation.holm import holm

chances = st.lists(st.floats(0, 1), min_size=1, max_size=12)


def test_the_adjusted_values_are_those_of_rs_p_adjust() -> None:
    # by hand: .005 x 4, .01 x 3, max(.03 x 2, .03), max(.04 x 1, .06), in the order given
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_nothing_is_adjusted_to_nothing() -> None:
    assert holm([]) == []


@given(chances, st.floats(0.001, 0.5))
def test_what_is_claimed_is_what_stepping_down_rejects(p: list[float], alpha: float) -> None:
    rejected = set()
    for place, index in enumerate(sorted(range(len(p)), key=lambda one: p[one])):
        if min(1.0, (len(p) - place) * p[index]) > alpha:
            break
        rejected.add(index)
    assert {index for index, value in enumerate(holm(p)) if value <= alpha} == rejected


@given(chances)
def test_it_lies_between_the_plain_value_and_bonferronis(p: list[float]) -> None:
    for plain, adjusted in zip(p, holm(p), strict=True):
        assert plain <= adjusted <= 1
        assert adjusted <= min(1.0, len(p) * max(p))
