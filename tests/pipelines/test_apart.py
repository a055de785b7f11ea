"""An imputer that would learn from a test subject is refused, before it is built."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from mmmed.cohorts.listed import Leak
from mmmed.cohorts.splits import Fold
from mmmed.errors import LeakageError
from mmmed.models.building import options
from mmmed.pipelines.apart import require_apart
from mmmed.pipelines.job import Job, Work
from mmmed.pipelines.jobs import run_job
from mmmed.pipelines.plan import FoldPlan
from mmmed.pipelines.study import Evaluation
from mmmed.training.settings import TrainingSpec
from mmmed.training.shelf import Shelf

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


def test_a_job_planned_with_a_leak_fails_before_it_trains(tmp_path: Path) -> None:
    work = Work(
        cohort="",
        shelf=Shelf((), {}, {}, SUBJECT),
        cases={},
        chains={},
        classes=("CN", "AD"),
        positive="AD",
        training=TrainingSpec(),
        evaluation=Evaluation(),
        study={},
        reading={},
        dicom=None,
        data="",
        files={},
        device="cpu",
    )
    plan = FoldPlan(fold(**LEAKING), "complete", {}, (), (), ())
    job = Job(method=IMPUTER, plan=plan, seed=0, work=work)
    reason = run_job(job, tmp_path)
    assert reason is not None
    assert reason.startswith("fold fold-1: imputation: subject a would teach the imputer")
    assert not (job.folder(tmp_path) / "model").exists()
