"""From a resolved study to its jobs: cohort on disk, items prepared, folds planned.

Nothing here writes to a run folder, so every rank of a distributed run can do it for itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mmmed.cohorts.cohort import Cohort, require_modalities
from mmmed.errors import StudyError, join
from mmmed.models.building import cramped
from mmmed.pipelines.external import External, look_at_external, read_external
from mmmed.pipelines.job import Job, make_jobs
from mmmed.pipelines.materialise import materialise
from mmmed.pipelines.plan import FoldPlan, plan
from mmmed.pipelines.preparation import Stocked, stock
from mmmed.pipelines.resolve import Resolved
from mmmed.progress import Listener
from mmmed.record import cache


@dataclass(frozen=True)
class Agenda:
    """What a study has to do, and with what.

    Attributes:
        stocked: the cohort and its prepared items.
        truth: of a simulated cohort: the file that holds it.
        folds: who is in which part, who hides what.
        jobs: all of them, done or not.
        external: cohorts that they are tested on as well.
    """

    stocked: Stocked
    truth: Path | None
    folds: tuple[FoldPlan, ...]
    jobs: tuple[Job, ...]
    external: tuple[External, ...] = ()


def make_agenda(resolved: Resolved, *, device: str, parallel: int, listener: Listener) -> Agenda:
    """Read, prepare and plan.

    Args:
        resolved: the study.
        device: where its jobs compute.
        parallel: processes that prepare.
        listener: hears how far it is, and what is left out.

    Raises:
        StudyError: the study does not fit its cohort, or a method's backbone its items.
        DataError: nothing of a modality can be used.
        LeakageError: somebody of an external cohort is in the study's own.
    """
    cohort, truth = materialise(
        resolved.cohort,
        cache=cache.made(),
        jobs=parallel,
        listener=listener,
        suv=resolved.suv,
    )
    cohort = cohort.only(resolved.chains)
    for sentence in cohort.notes:
        listener.note(sentence)
    _refuse_early(resolved, cohort, truth)
    for chosen in resolved.external:
        look_at_external(chosen, resolved, cohort, jobs=parallel, listener=listener)
    stocked = stock(
        cohort,
        resolved.chains,
        cache=cache.made("prepared"),
        jobs=parallel,
        report=listener,
    )
    for fault in stocked.cohort.faults:
        listener.note(f"left out: {fault}")
    _refuse_small(resolved, stocked)
    folds = plan(resolved.study, stocked.cohort, truth=truth)
    external = read_external(resolved, stocked, jobs=parallel, listener=listener)
    for one in external:
        left = [
            f"external cohort {one.name}: left out: {fault}" for fault in one.stocked.cohort.faults
        ]
        for sentence in (*one.notes, *left):
            listener.note(sentence)
    abroad = [one.abroad for one in external]
    jobs = make_jobs(resolved, stocked, folds, device=device, abroad=abroad)
    return Agenda(stocked=stocked, truth=truth, folds=folds, jobs=tuple(jobs), external=external)


def _refuse_early(resolved: Resolved, cohort: Cohort, truth: Path | None) -> None:
    """Raise what names and tables already contradict, before hours of preparation."""
    require_modalities(cohort, resolved.chains)
    plan(resolved.study, cohort, truth=truth)


def _refuse_small(resolved: Resolved, stocked: Stocked) -> None:
    """Raise where prepared items are too small for a method."""
    spaces = {one.name: one.space for one in stocked.shelf.modalities}
    lines = [line for method in resolved.study.methods for line in cramped(method, spaces)]
    if lines:
        raise StudyError(join(f"study {resolved.study.study}: {line}" for line in lines))
