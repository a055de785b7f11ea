"""MLflow is a view of the run folder: it can be rebuilt, and it can be missing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mmmed.pipelines.run import _track

NOWHERE = "nonsense://nowhere"
"""A tracking store that does not exist."""


class Heard:
    """A listener that keeps what it is told."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def __call__(self, task: str, done: int, total: int) -> None:
        """How far a task is."""

    def note(self, text: str) -> None:
        self.notes.append(text)


def test_a_store_that_cannot_be_written_to_is_one_line(
    finished: Path, attempt_in, tmp_path
) -> None:
    done = attempt_in(tmp_path, "track", finished, store=NOWHERE)
    assert done.code == 2
    assert done.err.startswith(f"mmmed: {NOWHERE}: MLflow cannot be written to")
    assert done.err.count("\n") == 1


def test_a_tracking_failure_does_not_stop_a_run(
    finished: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", NOWHERE)
    heard = Heard()
    _track(finished, heard)
    (note,) = heard.notes
    assert note.startswith(f"not tracked ({NOWHERE}: MLflow cannot be written to")
    assert note.endswith(f"later: mmmed track {finished}")


def test_a_run_that_has_not_ended_is_not_tracked(finished: Path, attempt, tmp_path) -> None:
    run = Path(shutil.copytree(finished, tmp_path / "run"))
    (run / "metrics.json").unlink()
    done = attempt("track", run)
    assert done.code == 2
    assert "is no finished run; only what has ended is tracked" in done.err
