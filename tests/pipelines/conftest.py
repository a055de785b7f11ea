"""A study small enough to run whole in a test."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import mmmed

SMALL = (
    "cohort.simulation={subjects: {train: 16, validation: 6, calibration: 10, test: 10}}",
    "training={steps: 6, batch: 6, checkpoint_every: 2, check_every: 3}",
    "evaluation={positive: AD, interval: {draws: 100}}",
)
"""`--set` values of the small study: 42 subjects, six steps."""


@pytest.fixture(scope="session")
def small_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the small cohort is written once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def offline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that, on the path of a process and its children, closes the network to them."""
    folder = tmp_path_factory.mktemp("offline")
    (folder / "sitecustomize.py").write_text(
        "import socket\n"
        "def closed(*_, **__):\n"
        "    raise OSError('the network is closed to this test')\n"
        "socket.getaddrinfo = closed\n"
        "_connect = socket.socket.connect\n"
        "def connect(self, address):\n"
        "    if self.family in (socket.AF_INET, socket.AF_INET6):\n"
        "        closed()\n"
        "    return _connect(self, address)\n"
        "socket.socket.connect = connect\n"
    )
    return folder


@pytest.fixture(scope="session")
def finished(
    tmp_path_factory: pytest.TempPathFactory, small_cache: Path, offline: Path, small: list[str]
) -> Path:
    """The run folder of the small study, made by `train-ad` with the network closed."""
    here = tmp_path_factory.mktemp("finished")
    done = subprocess.run(
        command(
            "train-ad",
            "--no-baselines",
            "--method",
            "hypermm",
            "--method",
            "late-sum",
            "--jobs",
            "2",
            "--out",
            "run",
            *small,
        ),
        cwd=here,
        env=surroundings(small_cache, offline=offline),
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    (here / "stdout.txt").write_text(done.stdout)
    (here / "stderr.txt").write_text(done.stderr)
    return here / "run"


@pytest.fixture
def run_mmmed(small_cache: Path, tmp_path: Path):
    """Run a command line in a process of its own, in an empty directory."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(*arguments),
            cwd=tmp_path,
            env=surroundings(small_cache),
            capture_output=True,
            text=True,
            check=False,
            timeout=280,
        )

    return run


@pytest.fixture(scope="session")
def start_in(small_cache: Path):
    """Start a command line in a process of its own, in a directory; it does not outlive us."""
    running: list[subprocess.Popen[bytes]] = []

    def start(directory: Path, *arguments: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            command(*arguments),
            cwd=directory,
            env=surroundings(small_cache),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def small() -> list[str]:
    """The small study as command-line options."""
    return [part for setting in SMALL for part in ("--set", setting)]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "mmmed.cli", *arguments]


def surroundings(cache: Path, *, offline: Path | None = None) -> dict[str, str]:
    """The environment of a command: the package under test, one thread, a cache of its own."""
    package = Path(mmmed.__file__).resolve().parents[1]
    places = [str(place) for place in (offline, package) if place]
    return {
        **{name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"},
        "MMMED_CACHE": str(cache),
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(places),
    }
