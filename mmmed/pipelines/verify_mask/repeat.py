"""A job done again over poisoned shelves: its predictions, and its training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from joblib import Parallel, parallel_config

from mmmed.modality import Pattern
from mmmed.pipelines.job import Job
from mmmed.pipelines.jobs import save_package
from mmmed.pipelines.told import of_study
from mmmed.pipelines.trained import clear, trained
from mmmed.pipelines.verify_mask.findings import Fault, differences
from mmmed.progress import Listener, Progress
from mmmed.record import atomic, table
from mmmed.record.table import Cell
from mmmed.training import manifest, package
from mmmed.training.predicting import columns, score
from mmmed.training.shelf import Shelf

COMPARED = ("weights", "calibration", "conformal", "threshold", "statistics")
"""What of a package's manifest a training decides."""


@dataclass(frozen=True)
class Turn:
    """A shelf, and what test cases show on it.

    Attributes:
        shelf: with poison where nothing is shown.
        shown: case -> pattern; None where every view of a job is scored.
    """

    shelf: Shelf
    shown: dict[str, Pattern] | None


def predict_again(job: Job, model: Path, turns: Sequence[Turn], target: Path) -> None:
    """The predictions of a package over several shelves as one table, as a job writes it.

    Nothing where the table is there already: it is written whole or not at all.

    Args:
        job: of whom.
        model: the folder of its package.
        turns: which together score each view once.
        target: the table.
    """
    if target.exists():
        return
    torch.set_num_threads(job.work.training.threads)
    loaded = package.load(model)
    rows: list[dict[str, Cell]] = []
    for turn in turns:
        views = [
            view
            for view in job.plan.views
            if turn.shown is None or turn.shown.get(view.case) == view.pattern
        ]
        scored = score(loaded, turn.shelf, job.work.cases, views, split="test")
        rows += scored.predictions
    extra = (*columns(job.work.classes), *table.STUDY_COLUMNS)
    table.write(target, table.PREDICTIONS, of_study(job, rows), extra=extra)


def in_parallel(calls: Sequence[Any], *, jobs: int, report: Listener, task: str) -> None:
    """Make joblib's delayed calls, each of which leaves a file, and tell how many are done."""
    with parallel_config(backend="loky", inner_max_num_threads=1):
        done = Parallel(n_jobs=min(jobs, len(calls) or 1), return_as="generator")(calls)
        for number, _ in enumerate(done, start=1):
            report(task, number, len(calls))


def train_again(job: Job, shelf: Shelf, folder: Path, *, progress: Progress) -> Path:
    """Train a job once more over another shelf; the folder of its package.

    It goes on where it was interrupted, and is not done twice.
    """
    target = folder / "model"
    if (target / manifest.NAME).exists():
        return target
    again = replace(job, work=replace(job.work, shelf=shelf))

    def report(_: str, step: int, steps: int, __: Any) -> None:
        progress(step, steps)

    folder.mkdir(parents=True, exist_ok=True)
    save_package(trained(again, folder, report=report), target)
    clear(folder)
    return target


def compared_predictions(recorded: Path, again: Path, *, job: str, how: str) -> list[Fault]:
    """A fault per view whose prediction is not that of the run."""
    text = f"is predicted otherwise when hidden scans are {how}"
    return differences(recorded, again, table.PREDICTIONS, kind="prediction", text=text, job=job)


def compared_packages(recorded: Path, again: Path, *, job: str) -> list[Fault]:
    """A fault per part of a package that training made otherwise."""
    before, after = (atomic.read_json(one / manifest.NAME) for one in (recorded, again))
    return [
        Fault(
            "weights",
            f"is trained otherwise when hidden scans are replaced: {name}",
            job=job,
            recorded=_brief(before.get(name)),
            again=_brief(after.get(name)),
        )
        for name in COMPARED
        if before.get(name) != after.get(name)
    ]


def _brief(value: object) -> str:
    text = str(value)
    return text if len(text) <= 64 else f"{text[:61]}..."
