"""The jobs of a study, done: those that are open are carried to workers, or done in this process.

What came of them is read from their folders. A job that fails leaves its reason there and does not
stop the others.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from joblib import cpu_count

from mmmed.errors import RanksError, StudyError
from mmmed.pipelines.backends import devices, lost
from mmmed.pipelines.backends.carrier import Carrier
from mmmed.pipelines.backends.choice import Backend
from mmmed.pipelines.backends.connection import connected
from mmmed.pipelines.backends.errand import errand, perform
from mmmed.pipelines.backends.watch import watched
from mmmed.pipelines.job import Job
from mmmed.pipelines.lifeline import Lifeline
from mmmed.progress import Listener
from mmmed.record import lock
from mmmed.training.ranks import told
from mmmed.training.settings import TrainingSpec

MANY = 1_000_000
"""Jobs at a time where a cluster decides for itself."""


@dataclass(frozen=True)
class Crew:
    """Who does the jobs of a study.

    Attributes:
        kind: of the backend.
        carrier: brings jobs to workers.
        parallel: jobs at a time.
    """

    kind: str
    carrier: Carrier
    parallel: int


def parallel_jobs(asked: int | None, *, threads: int) -> int:
    """How many jobs at a time: as asked, else the cores that the threads of one job leave."""
    return asked or max(1, cpu_count() // threads)


@contextmanager
def crew(
    backend: Backend, *, asked: int | None, training: TrainingSpec, device: str
) -> Iterator[Crew]:
    """Who does the jobs, until the block ends.

    Args:
        backend: the carrier and its cluster.
        asked: jobs at a time; None where nobody said.
        training: one job at a time where several devices train a model together.
        device: where models compute.

    Raises:
        StudyError: the cluster does not answer, or models are trained by several devices.
        MissingExtra: the backend's package is not installed.
    """
    if training.ranks > 1 and backend.kind != "loky":
        raise StudyError(
            f"--backend {backend.kind}: trains a model on one device, and training.devices x "
            f"training.nodes is {training.ranks}; leave one of the two out"
        )
    here = asked or len(devices.pool(device)) or parallel_jobs(None, threads=training.threads)
    if training.ranks > 1:
        here = 1
    elsewhere = asked or MANY
    with connected(backend, parallel=here, threads=training.threads, device=device) as carrier:
        yield Crew(backend.kind, carrier, elsewhere if backend.address else here)


def waiting_jobs(jobs: Sequence[Job], run: Path) -> list[Job]:
    """The jobs that are not done yet; of several ranks the first one looks.

    Raises:
        RanksError: this rank has other jobs than the first one.
    """
    mine = {job.folder(run).name: job for job in jobs}
    names = told(lambda: [name for name, job in mine.items() if not job.is_done(run)])
    if not mine.keys() >= set(names):
        raise RanksError(
            "this rank has other jobs than the first one: their data, files or versions differ; "
            "make them the same and go on with --resume"
        )
    return [mine[name] for name in names]


def run_jobs(
    jobs: Sequence[Job], run: Path, *, by: Crew, report: Listener, of: Sequence[Job]
) -> None:
    """Run what is not done yet.

    Args:
        jobs: those to do.
        run: the run folder; each job has a folder in `jobs/`.
        by: who does them.
        report: hears how far each job is, and how the study stands.
        of: all jobs of the study, some of which another process may do.

    Raises:
        RanksError: a job failed that several launched ranks train together.
        RunError: the disk is full, or the workers are gone.
    """
    waiting = waiting_jobs(jobs, run)
    is_alone = by.kind == "loky" and (len(waiting) <= 1 or by.parallel == 1)
    alive = nullcontext(Lifeline()) if is_alone else _alive(by.kind, run)
    with watched(of, run, report, parallel=by.parallel), alive as lifeline:
        errands = [errand(job, run, lifeline=lifeline) for job in waiting]
        if is_alone:
            for one in errands:
                perform(one)
        else:
            for one in by.carrier(errands, parallel=by.parallel):
                lost.record(one)


@contextmanager
def _alive(kind: str, run: Path) -> Iterator[Lifeline]:
    """How workers know that this study lives, until the block ends."""
    if kind == "loky":
        yield Lifeline(parent=os.getpid())
        return
    path = run.resolve() / lock.FOLDER / "studies" / secrets.token_hex(8)
    with lock.held(path):
        yield Lifeline(lock=path)
    path.unlink(missing_ok=True)
