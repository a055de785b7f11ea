from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmmed.evaluation.bootstrap import Estimate
from mmmed.evaluation.study.rank import Rank, rank


def estimate(*drawn: float) -> Estimate:
    return Estimate(np.array([0.0, *drawn, 9.0]), len(drawn))


def test_ranks_by_hand() -> None:
    found = rank({"a": estimate(3, 1, 2, 5), "b": estimate(2, 1, 3, 4), "c": estimate(1, 1, 1, 9)})
    assert found["a"] == Rank(best=pytest.approx((1 + 1 / 3) / 4), mean_rank=pytest.approx(7 / 4))
    assert found["b"] == Rank(best=pytest.approx((1 / 3 + 1) / 4), mean_rank=pytest.approx(8 / 4))
    assert found["c"] == Rank(best=pytest.approx((1 / 3 + 1) / 4), mean_rank=pytest.approx(9 / 4))


def test_a_resample_that_does_not_score_all_does_not_count() -> None:
    found = rank({"a": estimate(1, np.nan), "b": estimate(0, 7)})
    assert (found["a"].best, found["b"].best) == (1, 0)


def test_without_a_resample_that_scores_all_nothing_is_said() -> None:
    assert rank({"a": estimate(np.nan), "b": estimate(1)})["b"] == Rank(None, None)


@given(st.lists(st.lists(st.integers(0, 3), min_size=5, max_size=5), min_size=2, max_size=5))
def test_shares_sum_to_one_and_ranks_to_those_of_all_places(table: list[list[int]]) -> None:
    found = rank({str(place): estimate(*row) for place, row in enumerate(table)})
    count = len(table)
    assert sum(one.best or 0 for one in found.values()) == pytest.approx(1)
    total = sum(one.mean_rank or 0 for one in found.values())
    assert total == pytest.approx(count * (count + 1) / 2)
