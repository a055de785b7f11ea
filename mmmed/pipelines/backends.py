"""Jobs in parallel: joblib carries the calls, the job folders carry the truth.

A worker writes how far it is into `progress.json` of its job's folder; this side reads those files
and reports. A job that fails leaves its reason and does not stop the others.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from joblib import Parallel, delayed, parallel_config

from mmmed.pipelines.jobs import Job, run_job

POLL_SECONDS = 1.0
Report = Callable[[str, int, int], None]


def parallel_jobs(asked: int | None, *, threads: int) -> int:
    """How many jobs at a time: as asked, else the cores that the threads of one job leave."""
    return asked or max(1, len(os.sched_getaffinity(0)) // threads)


def run_jobs(
    jobs: Sequence[Job], run: Path, *, parallel: int, threads: int, report: Report
) -> dict[Job, str]:
    """Run what is not done yet.

    Args:
        jobs: of one study.
        run: the run folder; each job has a folder in `jobs/`.
        parallel: jobs at a time.
        threads: torch threads of one job.
        report: called with (job, steps done, steps).

    Returns:
        The reasons of the jobs that failed.
    """
    waiting = [job for job in jobs if not job.is_done(run)]
    if len(waiting) <= 1 or parallel == 1:
        outcomes = []
        for job in waiting:
            with _watched([job], run, report):
                outcomes.append((job, run_job(job, run)))
    else:
        workers = min(parallel, len(waiting))
        with (
            _watched(waiting, run, report),
            parallel_config(backend="loky", inner_max_num_threads=threads),
        ):
            calls = (delayed(_named)(job, run) for job in waiting)
            outcomes = list(Parallel(n_jobs=workers, return_as="generator_unordered")(calls))
            order = {job.name: place for place, job in enumerate(waiting)}
            named = sorted(outcomes, key=lambda outcome: order[outcome[0]])
            outcomes = [(waiting[order[name]], failure) for name, failure in named]
    return {job: failure for job, failure in outcomes if failure is not None}


def _named(job: Job, run: Path) -> tuple[str, str | None]:
    return job.name, run_job(job, run)


@contextmanager
def _watched(jobs: Sequence[Job], run: Path, report: Report) -> Iterator[None]:
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


def _report_all(jobs: Sequence[Job], run: Path, report: Report) -> None:
    for job in jobs:
        try:
            progress = json.loads((job.folder(run) / "progress.json").read_text(encoding="utf-8"))
            report(f"{job.name} {progress['phase']}", int(progress["done"]), int(progress["total"]))
        except (OSError, ValueError, KeyError):
            continue
