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
from typing import TYPE_CHECKING

import torch

from mmmed.cohorts.cohort import UNLABELLED
from mmmed.cohorts.splits import Part
from mmmed.errors import MmmedError, RanksError
from mmmed.modality import Pattern
from mmmed.models.building import build
from mmmed.models.contract import Model
from mmmed.pipelines.apart import require_apart
from mmmed.pipelines.cost import cost
from mmmed.pipelines.job import DONE, Job
from mmmed.pipelines.study import Sensitivity
from mmmed.pipelines.told import of_study, write_told
from mmmed.record import atomic, table
from mmmed.training import checkpoint, package
from mmmed.training.calibrate import calibrate
from mmmed.training.history import History
from mmmed.training.launcher import starts_ranks
from mmmed.training.loader import StepLoader, Views
from mmmed.training.package import Package
from mmmed.training.predicting import columns, image_rows, score
from mmmed.training.randomness import seed_all
from mmmed.training.statistics import standards, statistics

if TYPE_CHECKING:
    from mmmed.training.module import Report

FAILED, PROGRESS = "failed.txt", "progress.json"
PREDICTIONS, IMAGES, ATTENTION = "predictions.tsv", "images.tsv", "attention.tsv"
SECONDS, COST = "seconds.json", "cost.json"
PROGRESS_SECONDS = 1.0
ORPHANED = 130
"""Exit code of a worker whose study is gone: the last checkpoint stands."""
LOOK_BATCH = 16
"""Cases per forward pass when the validation part is looked at."""

logger = logging.getLogger(__name__)


def run_job(job: Job, run: Path, *, parent: int | None = None) -> str | None:
    """Do a job, or go on with it; the reason where it fails.

    Args:
        job: what to do.
        run: the run folder.
        parent: the process that runs the study, where this is a worker of it: a worker whose
            study was killed ends as well, so that a resumed study does not meet it.

    Raises:
        RanksError: it failed where several ranks train together, so that no other job can follow.
    """
    folder = job.folder(run)
    folder.mkdir(parents=True, exist_ok=True)
    atomic.write_json(folder / "settings.json", job.settings())
    (folder / FAILED).unlink(missing_ok=True)
    try:
        _work(job, folder, parent)
    except RanksError as error:
        atomic.write_text(folder / FAILED, f"{error}\n")
        raise
    except Exception as error:  # the boundary of a job: the study goes on
        reason = str(error) if isinstance(error, MmmedError) else f"{type(error).__name__}: {error}"
        reason = reason.splitlines()[0] if reason else type(error).__name__
        logger.debug("%s failed", job.name, exc_info=True)
        atomic.write_text(folder / FAILED, reason + "\n")
        return reason
    return None


def built(job: Job) -> Model:
    """The model of a job, untrained; its weights are drawn from the job's seed."""
    work = job.work
    torch.set_num_threads(work.training.threads)
    seed_all(job.seed, "initialisation", 0)
    model = build(
        job.method,
        work.shelf.modalities,
        classes=len(work.classes),
        standards=standards(work.shelf, _shown(job, "train")),
    )
    model.prior.set(_labels(job, "train"))
    return model


def train(job: Job, model: Model, folder: Path, *, report: Report | None) -> History:
    """Train the model of a job, or go on with it.

    Args:
        job: what to train.
        model: of the job, as built.
        folder: of the job.
        report: told of every step.
    """
    from mmmed.training.fit import fit  # Lightning takes seconds to import

    work = job.work
    return fit(
        model,
        _loader(job),
        Views(work.shelf, _shown(job, "validation"), batch=LOOK_BATCH),
        settings=work.training,
        seed=job.seed,
        folder=folder,
        device=work.device,
        report=report,
    )


def _work(job: Job, folder: Path, parent: int | None) -> None:
    require_apart(job.plan.fold, job.work.shelf.subject, method=job.method)
    begun = time.monotonic()
    model = built(job)
    building = time.monotonic() - begun
    if starts_ranks(job.work.training):
        parent = os.getpid()  # the first rank reports, and ends with this process
    history = train(job, model, folder, report=_Progress(folder, parent))
    phases = history.seconds
    begun = time.monotonic()
    _save_package(job, model, folder / "model")
    loaded = package.load(folder / "model")
    predicting = _predict(job, loaded, folder)
    training = sum(phases.values())
    whole = building + training + time.monotonic() - begun
    seconds = {"training": training, "all": whole, "phases": phases, "prediction": predicting}
    atomic.write_json(folder / SECONDS, seconds)
    atomic.write_json(folder / COST, cost(job, model, loaded, _loader(job), history=history))
    write_told(job, model, folder, seconds=phases)
    checkpoint.remove(folder)
    (folder / PROGRESS).unlink(missing_ok=True)
    atomic.write_text(folder / DONE, "")


def _save_package(job: Job, model: Model, folder: Path) -> None:
    """Calibrate the trained model, and write what predicts on its own."""
    work = job.work
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
    package.save(
        folder,
        model=model,
        options=job.method,
        chains=work.chains,
        classes=work.classes,
        positive=work.positive,
        calibrated=calibrated,
        statistics=statistics(
            model, work.shelf, train=_shown(job, "train"), calibration=calibration
        ),
        origin=_origin(job),
    )


def _loader(job: Job) -> StepLoader:
    """The training batches of a job."""
    work, shown = job.work, _shown(job, "train")
    return StepLoader(
        work.shelf,
        list(shown),
        shown,
        batch=work.training.batch,
        seed=job.seed,
        chains=work.chains,
    )


def _shown(job: Job, part: Part) -> dict[str, Pattern]:
    """What the cases of a part show."""
    return {case: job.plan.shown[case] for case in job.plan.fold.cases(part)}


def _labels(job: Job, part: Part) -> list[int]:
    """The labels of the labelled cases of a part."""
    found = (job.work.shelf.label[case] for case in job.plan.fold.cases(part))
    return [label for label in found if label != UNLABELLED]


def _wish(job: Job) -> float | Mapping[str, float]:
    """The threshold as a number, or the sensitivity that it is to reach."""
    wish = job.work.evaluation.threshold
    if isinstance(wish, Sensitivity):
        return wish.model_dump()
    return _prevalence(job) if wish == "prevalence" else wish


def _prevalence(job: Job) -> float:
    """The share of the positive class among the labelled training cases; a half where all agree."""
    work = job.work
    known = _labels(job, "train")
    if work.positive is None:
        return 0.5
    share = known.count(work.classes.index(work.positive)) / len(known)
    return share if 0 < share < 1 else 0.5


def _predict(job: Job, loaded: Package, folder: Path) -> dict[str, float]:
    """Predictions of the saved package, so that it alone is what was evaluated; seconds of one.

    Where its method weighs items, how much each of them counted in the test cases.
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
    table.write(folder / PREDICTIONS, table.PREDICTIONS, predictions, extra=extra)
    if scored.attention:
        attention = of_study(job, scored.attention)
        table.write(folder / ATTENTION, table.ATTENTION, attention, extra=table.STUDY_COLUMNS)
    if job.work.evaluation.images:
        tested = job.plan.fold.cases("test")
        alone = image_rows(loaded, job.work.shelf, job.work.cases, tested, split="test")
        table.write(folder / IMAGES, table.IMAGES, of_study(job, alone), extra=extra)
    return scored.seconds


def _origin(job: Job) -> package.Origin:
    cases = job.work.cases
    return package.Origin(
        study=job.work.study,
        reading=job.work.reading,
        dicom=job.work.dicom,
        seed=job.seed,
        fold=job.plan.fold.name,
        train=job.plan.train,
        subjects={
            part: {cases[case].subject for case in job.plan.fold.cases(part)}
            for part in ("train", "validation", "calibration")
        },
    )


class _Progress:
    """Writes how far training is, now and then, as long as the study is alive."""

    def __init__(self, folder: Path, parent: int | None) -> None:
        self._path = folder / PROGRESS
        self._written = 0.0
        self._parent = parent

    def __call__(self, phase: str, step: int, steps: int, losses: Mapping[str, float]) -> None:
        if self._parent is not None and os.getppid() != self._parent:
            os._exit(ORPHANED)
        now = time.monotonic()
        if now - self._written >= PROGRESS_SECONDS or step == steps:
            self._written = now
            values = {"phase": phase, "done": step, "total": steps, "losses": dict(losses)}
            self._path.write_text(json.dumps(values), encoding="utf-8")
