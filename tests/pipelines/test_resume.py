"""A run that is killed, and what the same command with --resume makes of it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

RUN = Path("runs", "ad-train-1")
ARGUMENTS = ("train-ad", "--no-baselines", "--method", "hypermm", "--method", "late-sum")


@pytest.fixture
def attempt(
    attempt_in: Callable[..., Any], small_cache: Path, tmp_path: Path
) -> Callable[..., Any]:
    """Run a command line in this test's own directory, with the cohort that is there already."""
    return partial(attempt_in, tmp_path, cache=small_cache)


@pytest.fixture(scope="session")
def interrupted(
    tmp_path_factory: pytest.TempPathFactory, finished: Path, start_in, small: list[str]
) -> Path:
    """The small run on the cohort of `finished`, killed when training has left a checkpoint."""
    here = tmp_path_factory.mktemp("interrupted")
    process = start_in(here, *ARGUMENTS, "--jobs", "1", "--out", str(RUN), *small)
    deadline = time.monotonic() + 200
    while not list((here / RUN).glob("jobs/*/checkpoint.pt")):
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (here / RUN / "chain.json").exists()
    return here / RUN


@pytest.fixture
def killed(interrupted: Path, tmp_path: Path) -> Path:
    """A copy of the interrupted run in this test's own directory."""
    return Path(shutil.copytree(interrupted, tmp_path / RUN))


def digests(run: Path) -> dict[str, str]:
    """Predictions and weights: what must not depend on an interruption."""
    return {
        path.relative_to(run).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for pattern in ("predictions.tsv", "jobs/*/model/weights.safetensors", "presence.tsv")
        for path in run.glob(pattern)
    }


def test_a_killed_and_resumed_run_gives_the_same_bits_and_all_its_seconds(
    killed: Path, finished: Path, attempt, small: list[str]
) -> None:
    (cut,) = killed.glob("jobs/*/checkpoint.pt")
    before = torch.load(cut, weights_only=True)["seconds"]
    done = attempt(*ARGUMENTS, "--jobs", "1", "--resume", *small)
    assert done.code == 0, done.err
    assert "run folder: runs/ad-train-1" in done.err
    assert digests(killed) == digests(finished)
    mine, whole = (
        json.loads((run / "jobs" / cut.parent.name / "seconds.json").read_text())
        for run in (killed, finished)
    )
    assert before
    assert mine["phases"].keys() == whole["phases"].keys()
    assert all(mine["phases"][phase] >= spent for phase, spent in before.items())
    assert mine["training"] == pytest.approx(sum(mine["phases"].values()))
    assert mine["all"] > mine["training"]


def test_resuming_with_other_settings_names_the_keys_that_differ(
    killed: Path, attempt, small: list[str]
) -> None:
    done = attempt(*ARGUMENTS, "--out", str(RUN), "--resume", *small, "--set", "training.steps=7")
    assert done.code == 2
    assert "training.steps: 6 there, 7 here" in done.err


def test_an_unfinished_run_is_not_begun_anew_by_accident(
    killed: Path, attempt, small: list[str]
) -> None:
    before = (killed / "study.yaml").read_bytes()
    done = attempt(*ARGUMENTS, "--out", str(RUN), *small)
    assert done.code == 2
    assert "go on with --resume" in done.err
    assert (killed / "study.yaml").read_bytes() == before


def test_a_finished_run_is_never_written_over(finished: Path, attempt, small: list[str]) -> None:
    done = attempt(*ARGUMENTS, "--out", str(finished), "--resume", *small)
    assert done.code == 2
    assert "this run is finished" in done.err


def test_a_folder_that_holds_something_else_is_left_alone(
    tmp_path: Path, attempt, small: list[str]
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("all of it")
    done = attempt(*ARGUMENTS, "--out", "mine", *small)
    assert done.code == 2
    assert "is not empty and holds no run" in done.err
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_resume_without_an_unfinished_run_says_so(attempt, small: list[str]) -> None:
    done = attempt(*ARGUMENTS, "--resume", *small)
    assert done.code == 2
    assert "no unfinished run of this study" in done.err


def test_a_run_in_use_is_refused_and_sigterm_ends_it_resumable(
    tmp_path: Path, start_in, attempt, small: list[str]
) -> None:
    first = start_in(tmp_path, *ARGUMENTS, "--jobs", "1", "--out", "run", *small)
    while not (tmp_path / "run" / "study.yaml").exists():
        assert first.poll() is None
        time.sleep(0.02)
    first.send_signal(signal.SIGSTOP)
    second = attempt(*ARGUMENTS, "--out", "run", "--resume", *small)
    first.send_signal(signal.SIGCONT)
    first.send_signal(signal.SIGTERM)
    assert first.wait(timeout=60) == 130
    assert second.code == 2
    assert "another process is writing this run" in second.err


def test_workers_end_with_the_study_that_was_killed(
    tmp_path: Path, start_in, small: list[str]
) -> None:
    long = ["--set", "training={steps: 4000, batch: 6}"]
    process = start_in(tmp_path, *ARGUMENTS, "--jobs", "2", "--out", "run", *small, *long)
    while len(list(tmp_path.glob("run/jobs/*/progress.json"))) < 2:
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + 60
    while alive(tmp_path):
        assert time.monotonic() < deadline, "workers train on"
        time.sleep(0.2)


def alive(directory: Path) -> list[int]:
    """The processes that work in a directory."""
    found = []
    for link in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            if link.readlink() == directory:
                found.append(int(link.parent.name))
    return found


def test_the_resolved_study_is_what_ran(finished: Path) -> None:
    study = yaml.safe_load((finished / "study.yaml").read_text())
    assert study["training"]["steps"] == 6
    assert [method["kind"] for method in study["methods"]] == ["hypermm", "late-sum"]
    assert study["cohort"]["simulation"]["subjects"]["train"] == 16
