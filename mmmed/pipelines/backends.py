"""Jobs in parallel: joblib carries the calls, the job folders carry the truth.

A worker writes how far it is into `progress.json` of its job's folder; this side reads those files
and reports. A job that fails leaves its reason and does not stop the others.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from joblib import Parallel, cpu_count, delayed, parallel_config

from mmmed.errors import RanksError
from mmmed.pipelines.job import Job
from mmmed.pipelines.jobs import run_job
from mmmed.progress import Listener
from mmmed.training.ranks import told

POLL_SECONDS = 1.0


def parallel_jobs(asked: int | None, *, threads: int) -> int:
    """How many jobs at a time: as asked, else the cores that the threads of one job leave."""
    return asked or max(1, cpu_count() // threads)


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
    jobs: Sequence[Job], run: Path, *, parallel: int, threads: int, report: Listener
) -> dict[Job, str]:
    """Run what is not done yet.

    Args:
        jobs: of one study.
        run: the run folder; each job has a folder in `jobs/`.
        parallel: jobs at a time.
        threads: torch threads of one job.
        report: hears how far each job is.

    Returns:
        The reasons of the jobs that failed.

    Raises:
        RanksError: a job failed that several launched ranks train together.
    """
    waiting = waiting_jobs(jobs, run)
    if len(waiting) <= 1 or parallel == 1:
        with _watched(waiting, run, report):
            failures = [run_job(job, run) for job in waiting]
    else:
        workers = min(parallel, len(waiting))
        with (
            _watched(waiting, run, report),
            parallel_config(backend="loky", inner_max_num_threads=threads),
        ):
            failures = Parallel(n_jobs=workers)(
                delayed(run_job)(job, run, parent=os.getpid()) for job in waiting
            )
    return {
        job: failure for job, failure in zip(waiting, failures, strict=True) if failure is not None
    }


@contextmanager
def _watched(jobs: Sequence[Job], run: Path, report: Listener) -> Iterator[None]:
    """Report the progress files of these jobs while the block runs."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(POLL_SECONDS):
            _report_all(jobs, run, report)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        _report_all(jobs, run, report)


def _report_all(jobs: Sequence[Job], run: Path, report: Listener) -> None:
    for job in jobs:
        try:
            progress = json.loads((job.folder(run) / "progress.json").read_text(encoding="utf-8"))
            report(f"{job.name} {progress['phase']}", int(progress["done"]), int(progress["total"]))
        except (OSError, ValueError, KeyError):
            continue
