"""What a job costs in operations: `cost.json`, the same for everyone who runs the job.

Its seconds, never the same, stand in `seconds.json`.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from functools import partial
from typing import Any

from mmmed.modality import Pattern
from mmmed.models.contract import Model
from mmmed.pipelines.job import Job
from mmmed.training.history import History
from mmmed.training.loader import StepLoader
from mmmed.training.operations import operations, training_operations
from mmmed.training.package import Package


def cost(
    job: Job, model: Model, loaded: Package, loader: StepLoader, *, history: History
) -> dict[str, Any]:
    """Operations of the training by phase, and of one prediction by pattern; or why there are none.

    Args:
        job: that is done.
        model: as trained.
        loaded: its package.
        loader: the training batches.
        history: of the training.
    """
    about = {
        "method": job.method.name,
        "train": job.plan.train,
        "fold": job.plan.fold.name,
        "seed": job.seed,
    }
    return {**about, **_counted(job, model, loaded, loader, history)}


def _counted(
    job: Job, model: Model, loaded: Package, loader: StepLoader, history: History
) -> dict[str, Any]:
    settings = job.work.training
    if settings.ranks > 1:
        return {"reason": "operations are counted where one process trains"}
    steps = {phase.name: phase.looks[-1].step for phase in history.phases if phase.looks}
    try:
        return {
            "training": training_operations(model, loader, settings, steps=steps),
            "prediction": _of_predictions(job, loaded),
        }
    except Exception as error:  # noqa: BLE001 - a job is done, whether or not it can be counted
        return {"reason": (str(error) or type(error).__name__).splitlines()[0]}


def _of_predictions(job: Job, loaded: Package) -> dict[str, int]:
    """Pattern -> operations of one case: all that the richest test case owns, and all but one."""
    shelf, model = job.work.shelf, copy.deepcopy(loaded.model).requires_grad_(False)
    package = replace(loaded, model=model)
    tested = sorted(job.plan.fold.cases("test"), key=lambda case: -len(shelf.owned(case)))
    if not tested:
        return {}
    whole = shelf.owned(tested[0])
    fewer = [whole - Pattern.of([name]) for name in whole if len(whole) > 1]
    return {
        str(pattern): operations(partial(package.predict, [shelf.set(tested[0], pattern)]))
        for pattern in (whole, *fewer)
    }
