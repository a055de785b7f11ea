"""What a worker is told, and how it does a job: alone in its process, and alone in its folder."""

from __future__ import annotations

import platform
import threading
from contextlib import AbstractContextManager, chdir, nullcontext
from dataclasses import dataclass
from pathlib import Path

from mmmed import __version__
from mmmed.errors import RunError
from mmmed.pipelines.backends import devices
from mmmed.pipelines.endings import failure
from mmmed.pipelines.job import Job
from mmmed.pipelines.jobs import run_job
from mmmed.pipelines.lifeline import Lifeline
from mmmed.record import lock

_PROCESS = threading.Lock()
"""Torch has one set of generators per process: of several threads one works, the others wait."""


@dataclass(frozen=True)
class Errand:
    """One job and what a worker must know to do it.

    Attributes:
        job: what to do.
        name: of the job's folder, as the study computed it.
        run: the run folder, absolute.
        here: the folder that the study was started in: the job's relative paths begin there.
        lifeline: how the worker knows that the study is gone.
    """

    job: Job
    name: str
    run: Path
    here: Path
    lifeline: Lifeline

    @property
    def folder(self) -> Path:
        """Of the job."""
        return self.run / "jobs" / self.name

    @property
    def lock(self) -> Path:
        """Held by the process that does the job."""
        return self.run / lock.FOLDER / "jobs" / self.name


def errand(job: Job, run: Path, *, lifeline: Lifeline) -> Errand:
    """The errand of a job of the study that runs in this process."""
    whole = run.resolve()
    return Errand(job, job.folder(run).name, whole, Path.cwd(), lifeline)


def perform(errand: Errand) -> str | None:
    """Do a job, wherever this is; the reason where it fails.

    Whoever comes second to a job waits for the first, and takes its result; or its place, where the
    first was killed.

    Raises:
        RunError: this machine does not see the run, or works with another mmmed; the disk is full.
        StudyGone: the study has ended.
    """
    with _PROCESS:
        _require_the_same(errand)
        alive = errand.lifeline.tied()
        with _started_in(errand.here), lock.awaited(errand.lock, alive=alive) as waited:
            if errand.job.is_done(errand.run):
                return None
            if waited and (reason := failure(errand.folder)):
                return reason
            with devices.assigned(errand.job, errand.run, alive=alive) as job:
                return run_job(job, errand.run, alive=alive)


def _started_in(folder: Path) -> AbstractContextManager[None]:
    """The folder that the study was started in, where this machine has it."""
    return chdir(folder) if folder.is_dir() else nullcontext()


def _require_the_same(errand: Errand) -> None:
    node = platform.node()
    if not errand.run.is_dir():
        raise RunError(
            f"{errand.run}: the worker on {node} sees no such folder; put the run on storage that "
            "all workers share"
        )
    if errand.job.folder(errand.run).name != errand.name:
        raise RunError(
            f"the worker on {node} works with another mmmed ({__version__}) or other versions of "
            "what it reads; install the same there and go on with --resume"
        )
