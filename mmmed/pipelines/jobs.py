"""A job done: from the shelf to the predictions of its package.

A job's truth is its folder `jobs/<digest>/`: settings, history, package, predictions, and `done`,
written last. Whatever ran it, and however often it was interrupted, the folder is the same.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmmed.errors import MmmedError, RanksError
from mmmed.pipelines.apart import require_apart
from mmmed.pipelines.cost import cost
from mmmed.pipelines.endings import FAILED, fail
from mmmed.pipelines.job import DONE, Job
from mmmed.pipelines.lessons import require_lessons
from mmmed.pipelines.lifeline import Lifeline, StudyGone
from mmmed.pipelines.study import Sensitivity
from mmmed.pipelines.told import of_study, write_told
from mmmed.pipelines.trained import Trained, clear, labels, loader, shown, trained
from mmmed.record import atomic, table
from mmmed.record.room import is_full, no_room
from mmmed.training import package
from mmmed.training.calibrate import calibrate
from mmmed.training.counterfactual import Reader, foresights
from mmmed.training.launcher import starts_ranks
from mmmed.training.origin import Origin
from mmmed.training.outlooks import outlook_columns
from mmmed.training.package import Package
from mmmed.training.predicting import columns, image_rows, score
from mmmed.training.statistics import statistics

PROGRESS = "progress.json"
PREDICTIONS, IMAGES, ATTENTION = "predictions.tsv", "images.tsv", "attention.tsv"
SECONDS, COST, OUTLOOKS = "seconds.json", "cost.json", "counterfactual.tsv"
PROGRESS_SECONDS = 1.0

logger = logging.getLogger(__name__)


def run_job(job: Job, run: Path, *, alive: Lifeline | None = None) -> str | None:
    """Do a job, or go on with it; the reason where it fails.

    Args:
        job: what to do.
        run: the run folder.
        alive: called now and then, where this is a worker of a study: when the study is gone it
            does not return.

    Raises:
        RanksError: it failed where several ranks train together, so that no other job can follow.
        RunError: the disk is full, so that no other job can follow either.
        StudyGone: the study is gone.
    """
    folder = job.folder(run)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        atomic.write_json(folder / "settings.json", job.settings())
        (folder / FAILED).unlink(missing_ok=True)
        _work(job, folder, alive or Lifeline())
    except StudyGone:
        raise
    except RanksError as error:
        fail(folder, str(error))
        raise
    except Exception as error:  # the boundary of a job: the study goes on
        logger.debug("%s failed", job.name, exc_info=True)
        if is_full(error):
            raise no_room(run) from error
        reason = _reason(error)
        fail(folder, reason)
        return reason
    return None


def _reason(error: Exception) -> str:
    text = str(error) if isinstance(error, MmmedError) else f"{type(error).__name__}: {error}"
    return text.splitlines()[0] if text else type(error).__name__


def _work(job: Job, folder: Path, alive: Lifeline) -> None:
    require_apart(job.plan.fold, job.work.shelf.subject, method=job.method)
    require_lessons(job.plan.refused, job.method)
    if starts_ranks(job.work.training):
        alive = Lifeline(parent=os.getpid())  # the first rank reports, and ends with this process
    made = trained(job, folder, report=_Progress(folder, alive))
    phases = made.history.seconds
    begun = time.monotonic()
    save_package(made, folder / "model")
    loaded = package.load(folder / "model")
    predicting = _predict(job, loaded, folder)
    seconds: dict[str, Any] = {
        "training": sum(phases.values()),
        "all": made.seconds + time.monotonic() - begun,
        "phases": phases,
        "prediction": predicting,
    }
    if made.results:
        seconds["trials"] = [one.seconds for one in made.results]
    atomic.write_json(folder / SECONDS, seconds)
    spent = cost(made.job, made.model, loaded, loader(made.job), history=made.history)
    atomic.write_json(folder / COST, spent)
    write_told(job, made.model, folder, seconds=phases)
    clear(folder)
    (folder / PROGRESS).unlink(missing_ok=True)
    atomic.write_text(folder / DONE, "")


def save_package(made: Trained, folder: Path) -> None:
    """Calibrate the trained model, and write what predicts on its own."""
    job, model, work = made.job, made.model, made.job.work
    calibration = job.plan.fold.cases("calibration")
    mirror = [name for name, chain in work.chains.items() if chain.mirror]
    calibrated = calibrate(
        model,
        work.shelf,
        calibration,
        mirror=mirror,
        classes=work.classes,
        positive=work.positive,
        threshold=_wish(job),
        coverage=work.evaluation.coverage,
    )
    reader = Reader.of(
        model,
        calibrated,
        mirror=mirror,
        classes=work.classes,
        positive=work.positive,
        device="cpu",
        seed=job.seed,
    )
    package.save(
        folder,
        model=model,
        options=job.method,
        chains=work.chains,
        classes=work.classes,
        positive=work.positive,
        calibrated=calibrated,
        statistics=statistics(
            model, work.shelf, train=shown(job, "train"), calibration=calibration
        ),
        origin=_origin(job, made.tuning),
        foresights=foresights(reader, work.shelf, calibrated.views),
    )


def _wish(job: Job) -> float | Mapping[str, float]:
    """The threshold as a number, or the sensitivity that it is to reach."""
    wish = job.work.evaluation.threshold
    if isinstance(wish, Sensitivity):
        return wish.model_dump()
    return _prevalence(job) if wish == "prevalence" else wish


def _prevalence(job: Job) -> float:
    """The share of the positive class among the labelled training cases; a half where all agree."""
    work = job.work
    known = labels(job, "train")
    if work.positive is None:
        return 0.5
    share = known.count(work.classes.index(work.positive)) / len(known)
    return share if 0 < share < 1 else 0.5


def _predict(job: Job, loaded: Package, folder: Path) -> dict[str, float]:
    """Predictions of the saved package, so that it alone is what was evaluated; seconds of one.

    Where its method weighs items, how much each of them counted in the test cases of the study's
    own cohort.
    """
    scored = score(
        loaded,
        job.work.shelf,
        job.work.cases,
        job.plan.views,
        split="test",
    )
    extra = (*columns(job.work.classes), *table.STUDY_COLUMNS)
    predictions = of_study(job, scored.predictions)
    for one in job.work.abroad:
        told = score(loaded, one.shelf, one.cases, one.views, split="test")
        predictions += of_study(job, told.predictions, cohort=one.cohort)
    table.write(folder / PREDICTIONS, table.PREDICTIONS, predictions, extra=extra)
    if scored.outlooks:
        seen = (*outlook_columns(job.work.classes), *table.STUDY_COLUMNS)
        outlooks = of_study(job, scored.outlooks)
        table.write(folder / OUTLOOKS, table.COUNTERFACTUAL, outlooks, extra=seen)
    if scored.attention:
        attention = of_study(job, scored.attention)
        table.write(folder / ATTENTION, table.ATTENTION, attention, extra=table.STUDY_COLUMNS)
    if job.work.evaluation.images:
        tested = job.plan.fold.cases("test")
        alone = image_rows(loaded, job.work.shelf, job.work.cases, tested, split="test")
        rows = of_study(job, alone)
        for one in job.work.abroad:
            images = image_rows(loaded, one.shelf, one.cases, list(one.cases), split="test")
            rows += of_study(job, images, cohort=one.cohort)
        table.write(folder / IMAGES, table.IMAGES, rows, extra=extra)
    return scored.seconds


def _origin(job: Job, tuning: Mapping[str, Any] | None) -> Origin:
    cases = job.work.cases
    return Origin(
        study=job.work.study,
        reading=job.work.reading,
        dicom=job.work.dicom,
        seed=job.seed,
        fold=job.plan.fold.name,
        train=job.plan.train,
        tuning=tuning,
        subjects={
            part: {cases[case].subject for case in job.plan.fold.cases(part)}
            for part in ("train", "validation", "calibration")
        },
    )


class _Progress:
    """Writes how far training is, now and then, as long as the study is alive.

    Args:
        folder: of the job.
        alive: does not return when the study is gone.
    """

    def __init__(self, folder: Path, alive: Lifeline) -> None:
        self._path = folder / PROGRESS
        self._alive = alive
        self._written = 0.0

    def __call__(self, phase: str, step: int, steps: int, losses: Mapping[str, float]) -> None:
        now = time.monotonic()
        if now - self._written >= PROGRESS_SECONDS or step == steps:
            self._alive()
            self._written = now
            values = {"phase": phase, "done": step, "total": steps, "losses": dict(losses)}
            self._path.write_text(json.dumps(values), encoding="utf-8")
