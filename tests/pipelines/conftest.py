"""A study small enough to run whole in a test."""

from __future__ import annotations

import fcntl
import io
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

import mmmed
from mmmed.cli.app import exit_code
from mmmed.simulation.bids import write
from mmmed.simulation.spec import AdSimulation, Subjects

SMALL = (
    "cohort.simulation={subjects: {train: 16, validation: 6, calibration: 10, test: 10}}",
    "training={steps: 6, batch: 6, checkpoint_every: 2, check_every: 3}",
    "evaluation={positive: AD, interval: {draws: 100}}",
)
"""`--set` values of the small study: 42 subjects, six steps."""
NOBODY = "http://127.0.0.1:9"
"""An MLflow server that does not answer."""


@dataclass(frozen=True)
class Attempt:
    """What a command line left: its exit code and what it said."""

    code: int
    out: str
    err: str

    @property
    def complaints(self) -> list[str]:
        """The lines in which the program says what is wrong."""
        return [line for line in self.err.splitlines() if line.startswith("mmmed: ")]


@pytest.fixture(scope="session")
def attempt_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cache of all attempts."""
    return tmp_path_factory.mktemp("attempts")


@pytest.fixture(scope="session")
def attempt_in(attempt_cache: Path) -> Callable[..., Attempt]:
    """Run a command line in this process, in a directory; runs are not tracked."""

    def attempt(
        directory: Path,
        *arguments: str | Path,
        cache: Path = attempt_cache,
        store: str = NOBODY,
        tracking: str = "0",
    ) -> Attempt:
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.chdir(directory)
            patch.setenv("MMMED_CACHE", str(cache))
            patch.setenv("MLFLOW_TRACKING_URI", store)
            patch.setenv("MMMED_TRACK_SECONDS", tracking)
            code = exit_code([str(one) for one in arguments])
        return Attempt(code, out.getvalue(), err.getvalue())

    return attempt


@pytest.fixture
def attempt(attempt_in: Callable[..., Attempt], tmp_path: Path) -> Callable[..., Attempt]:
    """`attempt_in` an empty directory."""
    place = tmp_path / "place"
    place.mkdir()
    return partial(attempt_in, place)


@pytest.fixture
def bounded() -> Callable[[], AbstractContextManager[None]]:
    """A block in which this process may take 4 GiB of memory more than it has."""

    @contextmanager
    def block() -> Iterator[None]:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        before = resource.getrlimit(resource.RLIMIT_AS)
        allowed = pages * resource.getpagesize() + (4 << 30)
        resource.setrlimit(resource.RLIMIT_AS, (allowed, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_AS, before)

    return block


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated BIDS folder of 26 subjects; copy it before damaging it."""
    root = tmp_path_factory.mktemp("sound") / "bids"
    subjects = Subjects(train=14, validation=4, calibration=4, test=4)
    write(AdSimulation(subjects=subjects), root)
    return root


@pytest.fixture
def bids(sound: Path, tmp_path: Path) -> Path:
    """A copy of the sound folder."""
    return Path(shutil.copytree(sound, tmp_path / "bids"))


@pytest.fixture(scope="session")
def common(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that all workers of these tests see."""
    mine = tmp_path_factory.getbasetemp()
    return mine if worker_id == "master" else mine.parent


@pytest.fixture(scope="session")
def small_cache(common: Path) -> Path:
    """Where the small cohort is written once, by `finished`."""
    return common / "small-cache"


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
def finished(common: Path, small_cache: Path, offline: Path, small: list[str]) -> Path:
    """The run folder of the small study, made by `train-ad` with the network closed.

    The first worker that needs it makes it for all; they only read it.
    """
    here = common / "finished"
    here.mkdir(exist_ok=True)
    with (here / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (here / "stderr.txt").exists():
            done = train_ad(here, env=surroundings(small_cache, offline=offline), settings=small)
            assert done.returncode == 0, done.stderr
            (here / "stderr.txt").write_text(done.stderr)
    return here / "run"


def train_ad(
    directory: Path, *, env: dict[str, str], settings: list[str]
) -> subprocess.CompletedProcess[str]:
    """Train two methods in two worker processes, with these settings, into `run`."""
    methods = ("--no-baselines", "--method", "hypermm", "--method", "late-sum")
    return subprocess.run(
        command("train-ad", *methods, "--jobs", "2", "--out", "run", *settings),
        cwd=directory,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )


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
