"""A toy study of four jobs, and what loky made of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

TOY = (
    "run",
    "toy/xor",
    "--set=methods=[{kind: late-sum}, {kind: early-fusion, warm_up: false}]",
    "--set=seeds=[0, 1]",
    "--set=cohort.simulation={subjects: {train: 32, validation: 8, calibration: 16, test: 16}}",
    "--set=training={steps: 4, batch: 8}",
    "--set=evaluation={interval: {draws: 100}}",
    "--device=cpu",
)


@pytest.fixture
def toy(attempt_in: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """Run the toy study with more options, in this test's own directory."""
    return lambda *options: attempt_in(tmp_path, *TOY, *options)


@pytest.fixture(scope="session")
def whole(attempt_in: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of one process."""
    place = tmp_path_factory.mktemp("whole")
    done = attempt_in(place, *TOY, "--jobs=1", "--out=run")
    assert done.code == 0, done.err
    return place / "run"


@pytest.fixture
def alike(whole: Path) -> Callable[[Path], bool]:
    """Whether a run has the bytes of the run of one process."""
    names = ("predictions.tsv", "metrics.json")
    return lambda run: all((run / n).read_bytes() == (whole / n).read_bytes() for n in names)
