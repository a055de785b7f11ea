"""The trained model of a job; of a job that tunes, that of its best trial.

Trials are chosen by one look at the validation part under the train protocol, at the weights that
training kept. Calibration and test cases meet no choice: they are met by the chosen model alone.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from mmmed.cohorts.cohort import UNLABELLED
from mmmed.cohorts.splits import Part
from mmmed.modality import Pattern
from mmmed.models.building import build
from mmmed.models.contract import Model
from mmmed.pipelines import tuning
from mmmed.pipelines.job import Job
from mmmed.pipelines.tuning import Result, TrialReport
from mmmed.record import atomic, table
from mmmed.training import checkpoint
from mmmed.training.history import HISTORY, History, Look
from mmmed.training.launcher import leads
from mmmed.training.loader import StepLoader, Views
from mmmed.training.look import look
from mmmed.training.randomness import seed_all
from mmmed.training.ranks import told
from mmmed.training.statistics import standards

if TYPE_CHECKING:
    from mmmed.training.module import Report

LOOK_BATCH = 16
"""Cases per forward pass when the validation part is looked at."""


@dataclass(frozen=True)
class Trained:
    """What training a job gave.

    Attributes:
        job: with the settings that were chosen.
        model: on the CPU and in evaluation mode.
        history: of its training.
        seconds: of wall time, all trials and building included.
        results: of the trials, in their order; none for a job that does not tune.
        tuning: what a package says of the choice; None for a job that does not tune.
    """

    job: Job
    model: Model
    history: History
    seconds: float
    results: tuple[Result, ...] = ()
    tuning: Mapping[str, Any] | None = field(default=None, repr=False)


def trained(job: Job, folder: Path, *, report: Report | None) -> Trained:
    """Train a job, or go on with it.

    Args:
        job: what to train.
        folder: of the job; its checkpoints stay there until `clear`.
        report: told of every step.

    Raises:
        StudyError: its training cases, or the settings of all trials, cannot teach the model.
    """
    if job.trials:
        return _best(job, folder, report)
    begun = time.monotonic()
    model = built(job)
    building = time.monotonic() - begun
    history = train(job, model, folder, report=report)
    return Trained(job, model, history, building + sum(history.seconds.values()))


def clear(folder: Path) -> None:
    """Remove what only an interrupted job needs."""
    checkpoint.remove(folder)
    shutil.rmtree(folder / tuning.TRIALS, ignore_errors=True)


def built(job: Job) -> Model:
    """The model of a job, untrained; its weights are drawn from the job's seed."""
    work = job.work
    torch.set_num_threads(work.training.threads)
    seed_all(job.seed, "initialisation", 0)
    model = build(
        job.method,
        work.shelf.modalities,
        classes=len(work.classes),
        standards=standards(work.shelf, shown(job, "train")),
    )
    model.prior.set(labels(job, "train"))
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
        loader(job),
        _validation(job),
        settings=work.training,
        seed=job.seed,
        folder=folder,
        device=work.device,
        report=report,
    )


def loader(job: Job) -> StepLoader:
    """The training batches of a job."""
    work, mine = job.work, shown(job, "train")
    return StepLoader(
        work.shelf,
        list(mine),
        mine,
        batch=work.training.batch,
        seed=job.seed,
        chains=work.chains,
    )


def shown(job: Job, part: Part) -> dict[str, Pattern]:
    """What the cases of a part show."""
    return {case: job.plan.shown[case] for case in job.plan.fold.cases(part)}


def labels(job: Job, part: Part) -> list[int]:
    """The labels of the labelled cases of a part."""
    found = (job.work.shelf.label[case] for case in job.plan.fold.cases(part))
    return [label for label in found if label != UNLABELLED]


def _best(job: Job, folder: Path, report: Report | None) -> Trained:
    """The best trial, trained; of ranks all train, and the first looks and writes."""

    def attempt(number: int, here: Path) -> Result:
        one = job.at(number)
        model = built(one)
        phases = model.phases(one.work.training.steps)
        heard = report and TrialReport(report, number=number, trials=len(job.trials), phases=phases)
        history = train(one, model, here, report=heard)
        return told(lambda: Result.of(history, _look(one, model)))

    results = tuning.try_all(job.trials, folder, attempt, by=job.by)
    number = tuning.best(results, by=job.by)
    chosen = job.at(number)
    model = built(chosen)
    history = train(chosen, model, tuning.place(folder, number), report=None)
    about: dict[str, str | int] = {
        "train": job.plan.train,
        "fold": job.plan.fold.name,
        "seed": job.seed,
        "method": job.method.name,
    }
    if leads():
        rows = tuning.rows(about, job.trials, results, chosen=number)
        table.write(folder / tuning.TUNING, table.TUNING, rows)
        atomic.write_json(folder / HISTORY, history.to_json())
    return Trained(
        job=chosen,
        model=model,
        history=history,
        seconds=sum(one.seconds for one in results),
        results=results,
        tuning={
            "trials": len(results),
            "by": job.by,
            "chosen": number,
            "settings": dict(job.trials[number].drawn),
            "loss": results[number].loss,
            "auroc": results[number].auroc,
        },
    )


def _look(job: Job, model: Model) -> Look:
    steps = job.work.training.steps
    return look(model, model, _validation(job), step=steps, device=torch.device("cpu"))


def _validation(job: Job) -> Views:
    return Views(job.work.shelf, shown(job, "validation"), batch=LOOK_BATCH)
