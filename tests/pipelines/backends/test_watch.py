"""How a study stands is read from job folders, which are made by hand here."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mmmed.pipelines.backends.watch import Standing, Watch, duration
from mmmed.record import lock


@dataclass(frozen=True)
class Method:
    name: str


@dataclass(frozen=True)
class Planned:
    """What a watch asks of a job."""

    name: str
    method: Method

    def folder(self, run: Path) -> Path:
        return run / "jobs" / self.name


def planned(method: str, *names: str) -> list[Any]:
    return [Planned(name, Method(method)) for name in names]


def leave(run: Path, job: str, **files: Any) -> None:
    """Write files into the folder of a job."""
    folder = run / "jobs" / job
    folder.mkdir(parents=True, exist_ok=True)
    for name, values in files.items():
        (folder / f"{name}.json").write_text(json.dumps(values))


def done(run: Path, job: str, seconds: float) -> None:
    leave(run, job, seconds={"all": seconds})
    (run / "jobs" / job / "done").touch()


@contextmanager
def running(run: Path, job: str, *, since: float, share: float) -> Iterator[None]:
    """A job that is held for so many seconds, and has done a share of 100 steps."""
    leave(run, job, progress={"phase": "fit", "done": int(100 * share), "total": 100})
    path = run / lock.FOLDER / "jobs" / job
    with lock.held(path):
        begun = time.time() - since
        os.utime(path, (begun, begun))
        yield


def test_before_a_job_is_done_the_estimate_comes_from_those_that_run(tmp_path: Path) -> None:
    watch = Watch(planned("one", "a", "b", "c", "d"), tmp_path, parallel=2)
    assert watch.look() == Standing(total=4, done=0, running=0, failed=0, left=None)
    with running(tmp_path, "a", since=30, share=0.25), running(tmp_path, "b", since=30, share=0.25):
        standing = watch.look()
    assert (standing.running, standing.done) == (2, 0)
    assert standing.left == pytest.approx((90 + 90 + 120 + 120) / 2, abs=2)


def test_jobs_that_are_done_say_how_long_the_others_of_their_method_take(tmp_path: Path) -> None:
    jobs = [*planned("short", "a", "b", "c"), *planned("long", "d", "e")]
    watch = Watch(jobs, tmp_path, parallel=1)
    done(tmp_path, "a", 10)
    done(tmp_path, "b", 20)
    done(tmp_path, "d", 100)
    with running(tmp_path, "e", since=40, share=0.9):
        standing = watch.look()
    assert (standing.done, standing.running) == (3, 1)
    assert standing.left == pytest.approx((100 - 40) + 15, abs=2)


def test_failed_jobs_are_counted_and_not_waited_for(tmp_path: Path) -> None:
    watch = Watch(planned("one", "a", "b", "c"), tmp_path, parallel=1)
    done(tmp_path, "a", 60)
    leave(tmp_path, "b")
    (tmp_path / "jobs" / "b" / "failed.txt").write_text("no\n")
    standing = watch.look()
    assert standing == Standing(total=3, done=1, running=0, failed=1, left=60)
    assert str(standing) == "jobs: 1/3 done, 0 running, 1 failed, about 60 s left"


def test_a_job_whose_process_was_killed_is_not_running(tmp_path: Path) -> None:
    path = tmp_path / lock.FOLDER / "jobs" / "a"
    path.parent.mkdir(parents=True)
    path.write_text("node 1\n")
    leave(tmp_path, "a", progress={"phase": "fit", "done": 50, "total": 100})
    assert Watch(planned("one", "a"), tmp_path, parallel=1).look().running == 0


def test_progress_that_is_half_written_says_nothing(tmp_path: Path) -> None:
    leave(tmp_path, "a")
    (tmp_path / "jobs" / "a" / "progress.json").write_text('{"phase": "f')
    assert list(Watch(planned("one", "a"), tmp_path, parallel=1).progress()) == []


@pytest.mark.parametrize(
    ("seconds", "words"), [(40.4, "40 s"), (720.0, "12 min"), (12600.0, "3.5 h")]
)
def test_durations_are_said_in_one_unit(seconds: float, words: str) -> None:
    assert duration(seconds) == words
