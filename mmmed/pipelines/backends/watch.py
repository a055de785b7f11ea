"""How the jobs of a study stand, read from their folders: whoever does them, the picture is whole.

expected   the seconds that a job of a method takes: the mean of those that are done; until then
           what a running one tells by the share of its phase that is done, which is too little
left       the seconds that open jobs will take, as many at a time as run now
"""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from mmmed.pipelines.endings import FAILED
from mmmed.pipelines.job import DONE, Job
from mmmed.pipelines.jobs import PROGRESS, SECONDS
from mmmed.progress import Listener
from mmmed.record import lock

POLL_SECONDS = 1.0
LEAST_SHARE = 0.02
"""Of a phase a job must have done this much before its pace says anything."""


@dataclass(frozen=True)
class Standing:
    """How a study stands.

    Attributes:
        total: jobs.
        done: jobs that are done.
        running: jobs that a process holds.
        failed: jobs that left a reason.
        left: seconds until all are over; None where nothing is known yet.
    """

    total: int
    done: int
    running: int
    failed: int
    left: float | None

    def __str__(self) -> str:
        """For people: `jobs: 3/24 done, 2 running, 1 failed, about 12 min left`."""
        parts = [f"jobs: {self.done}/{self.total} done", f"{self.running} running"]
        parts += [f"{self.failed} failed"] if self.failed else []
        parts += [f"about {duration(self.left)} left"] if self.left else []
        return ", ".join(parts)


@dataclass(frozen=True)
class _Place:
    """Where a job is looked at."""

    name: str
    method: str
    folder: Path
    lock: Path


@dataclass(frozen=True)
class _Running:
    """A job that a process holds: for how long, and what share of its phase is done."""

    place: _Place
    seconds: float
    share: float


class Watch:
    """Looks at the jobs of a study, and remembers those that are over.

    Args:
        jobs: all of them.
        run: the run folder.
        parallel: jobs at a time where none runs yet.
    """

    def __init__(self, jobs: Sequence[Job], run: Path, *, parallel: int) -> None:
        folders = {job: job.folder(run) for job in jobs}
        self._places = [
            _Place(job.name, job.method.name, folder, run / lock.FOLDER / "jobs" / folder.name)
            for job, folder in folders.items()
        ]
        self._open = list(self._places)
        self._seconds: dict[str, list[float]] = defaultdict(list)
        self._done = 0
        self._parallel = parallel

    def look(self) -> Standing:
        """How the study stands now."""
        self._put_aside_done()
        running = [found for place in self._open if (found := _running(place))]
        held = {one.place for one in running}
        failed = [
            place for place in self._open if place not in held and (place.folder / FAILED).exists()
        ]
        waiting = [place for place in self._open if place not in held and place not in failed]
        return Standing(
            total=len(self._places),
            done=self._done,
            running=len(running),
            failed=len(failed),
            left=self._left(running, waiting),
        )

    def progress(self) -> Iterator[tuple[str, int, int]]:
        """Of each job that runs or ran last: job and phase, steps done, steps of the phase."""
        for place in self._open:
            found = _read(place.folder / PROGRESS)
            if found is not None:
                yield f"{place.name} {found['phase']}", int(found["done"]), int(found["total"])

    def _put_aside_done(self) -> None:
        still = []
        for place in self._open:
            if not (place.folder / DONE).exists():
                still.append(place)
                continue
            self._done += 1
            seconds = _read(place.folder / SECONDS)
            if seconds is not None:
                self._seconds[place.method].append(float(seconds["all"]))
        self._open = still

    def _left(self, running: Sequence[_Running], waiting: Sequence[_Place]) -> float | None:
        expected = {method: fmean(seconds) for method, seconds in self._seconds.items()}
        for one in running:
            if one.place.method not in expected and one.share >= LEAST_SHARE:
                expected[one.place.method] = one.seconds / one.share
        if not expected:
            return None
        usual = fmean(expected.values())
        rest = [max(0.0, expected.get(one.place.method, usual) - one.seconds) for one in running]
        whole = [expected.get(place.method, usual) for place in waiting]
        at_once = len(running) or max(1, min(self._parallel, len(whole)))
        return max([sum(rest + whole) / at_once, *rest])


@contextmanager
def watched(jobs: Sequence[Job], run: Path, report: Listener, *, parallel: int) -> Iterator[None]:
    """Report how jobs stand while the block runs."""
    over = threading.Event()
    watch = Watch(jobs, run, parallel=parallel)

    def repeat() -> None:
        while not over.wait(POLL_SECONDS):
            _report(watch, report)

    thread = threading.Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        _report(watch, report)


def duration(seconds: float) -> str:
    """`40 s`, `12 min` or `3.5 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _report(watch: Watch, report: Listener) -> None:
    for task, done, total in watch.progress():
        report(task, done, total)
    report.overall(str(standing := watch.look()), standing.done + standing.failed, standing.total)


def _running(place: _Place) -> _Running | None:
    if not lock.is_signed(place.lock) or not lock.is_held(place.lock):
        return None
    try:
        since = place.lock.stat().st_mtime
    except OSError:
        return None
    found = _read(place.folder / PROGRESS) or {}
    share = float(found.get("done", 0)) / max(1.0, float(found.get("total", 1)))
    return _Running(place, max(0.0, time.time() - since), share)


def _read(path: Path) -> Mapping[str, Any] | None:
    """A small JSON object that another process may be writing; None where it is not there."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
