"""MLflow is a view of the run folder: it can be rebuilt, and it can be missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

NOWHERE = "nonsense://nowhere"
FINISH = """
import sys
from pathlib import Path
from mmmed.pipelines.run import _track
class Listener:
    def __call__(self, *_): pass
    def note(self, text): print(text)
_track(Path(sys.argv[1]), Listener())
"""


@pytest.fixture
def without_store(tmp_path: Path):
    """Run Python in an empty directory with a tracking store that does not exist."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        package = Path(__file__).resolve().parents[2]
        known = {**os.environ, "MLFLOW_TRACKING_URI": NOWHERE, "PYTHONPATH": str(package)}
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env=known,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_a_store_that_cannot_be_written_to_is_one_line(finished: Path, without_store) -> None:
    done = without_store("-m", "mmmed.cli", "track", str(finished))
    assert done.returncode == 2
    assert done.stderr.startswith(f"mmmed: {NOWHERE}: MLflow cannot be written to")
    assert done.stderr.count("\n") == 1


def test_a_tracking_failure_does_not_stop_a_run(finished: Path, without_store) -> None:
    done = without_store("-c", FINISH, str(finished))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"not tracked ({NOWHERE}: MLflow cannot be written to")
    assert f"later: mmmed track {finished}" in done.stdout


def test_a_run_that_has_not_ended_is_not_tracked(finished: Path, run_mmmed, tmp_path) -> None:
    run = Path(shutil.copytree(finished, tmp_path / "run"))
    (run / "metrics.json").unlink()
    done = run_mmmed("track", str(run))
    assert done.returncode == 2
    assert "is no finished run; only what has ended is tracked" in done.stderr
