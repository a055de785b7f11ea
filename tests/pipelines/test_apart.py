"""An imputer that would learn from a test subject is refused, before it is built."""

from __future__ import annotations

import pandas as pd
import pytest

from mmmed.cohorts.listed import Leak
from mmmed.cohorts.splits import Fold
from mmmed.errors import LeakageError
from mmmed.models.building import options
from mmmed.pipelines.apart import require_apart

SUBJECT = {"a1": "a", "a2": "a", "b1": "b", "c1": "c"}
IMPUTER, SUM = options("imputation")(imputer={"kind": "knn"}), options("late-sum")()


def fold(*, leaks: tuple[Leak, ...] = (), **parts: str) -> Fold:
    return Fold("fold-1", pd.Series(parts), leaks=leaks)


LEAKING = {"a1": "train", "a2": "test", "b1": "validation", "c1": "test"}
DECLARED = (Leak("a", "a1", "a1.png", False), Leak("a", "a2", "a2.png", True))


@pytest.mark.parametrize("method", [IMPUTER, SUM], ids=lambda one: one.name)
def test_a_subject_in_training_and_test_is_refused(method) -> None:
    with pytest.raises(LeakageError, match=r"^fold fold-1: [a-z-]+: subject a "):
        require_apart(fold(**LEAKING), SUBJECT, method=method)


def test_lists_taken_as_given_may_leak_but_not_to_an_imputer() -> None:
    given = fold(leaks=DECLARED, **LEAKING)
    require_apart(given, SUBJECT, method=SUM)
    with pytest.raises(LeakageError, match=r"would teach the imputer .* set splits.leaks=move"):
        require_apart(given, SUBJECT, method=IMPUTER)


def test_subjects_that_only_calibrate_and_are_not_tested_pass() -> None:
    apart = fold(a1="train", a2="calibration", b1="test", c1="validation")
    require_apart(apart, SUBJECT, method=IMPUTER)
