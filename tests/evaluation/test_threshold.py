from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mmmed.errors import StudyError
from mmmed.evaluation.threshold import decide, fit_threshold

CHANCE = np.linspace(0.05, 0.95, 19)
POSITIVE = CHANCE > 0.46  # ten positives: .50 to .95


def test_a_number_stands_and_is_measured() -> None:
    found = fit_threshold(0.7, CHANCE, POSITIVE)
    assert found.value == 0.7
    assert found.sensitivity == pytest.approx(0.6)
    assert found.specificity == 1


def test_sensitivity_takes_the_highest_threshold_that_reaches_it() -> None:
    found = fit_threshold({"sensitivity": 0.9}, CHANCE, POSITIVE)
    assert found.value == pytest.approx(0.55)  # nine of ten positives are at .55 or above
    assert found.sensitivity == pytest.approx(0.9)
    assert (found.n_positive, found.n_negative) == (10, 9)


def test_full_sensitivity_takes_the_lowest_positive() -> None:
    assert fit_threshold({"sensitivity": 1}, CHANCE, POSITIVE).value == pytest.approx(0.5)


def test_without_positives_it_stays_at_one_half_and_says_why() -> None:
    found = fit_threshold({"sensitivity": 0.9}, CHANCE, np.zeros(19, dtype=bool))
    assert (found.value, found.sensitivity) == (0.5, None)
    assert found.reason == "no positive calibration case: the threshold stays at 0.5"


@pytest.mark.parametrize("wish", [0, 1, -1, {"sensitivity": 0}, {"specificity": 0.9}, {}])
def test_other_wishes_are_refused(wish: Any) -> None:
    with pytest.raises(StudyError, match=r"^threshold: "):
        fit_threshold(wish, CHANCE, POSITIVE)


def test_the_threshold_itself_is_positive() -> None:
    chances = np.array([[0.4, 0.6], [0.41, 0.59]])
    assert decide(chances, threshold=0.6, positive=1).tolist() == [1, 0]
    assert decide(chances[:, ::-1], threshold=0.6, positive=0).tolist() == [0, 1]


def test_more_classes_take_the_most_probable() -> None:
    chances = np.array([[0.2, 0.5, 0.3], [0.1, 0.2, 0.7]])
    assert decide(chances, threshold=0.9, positive=1).tolist() == [1, 2]
