"""A run is proven, and a leak that is planted in a copy of the program is caught."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mmmed
from mmmed.simulation.bids import write
from mmmed.simulation.spec import AdSimulation, Subjects

BRIEF = (
    "--no-baselines", "--method", "late-sum", "--jobs", "1",
    "--set", "training={steps: 4, batch: 6, check_every: 2}",
    "--set", "evaluation={positive: AD, interval: {draws: 100}}",
)  # fmt: skip
LEAK = """
    hidden = [load(one).mean() for name in mine if name not in pattern for one in mine[name]]
    return ModalitySet(
        case=case,
        subject=self.subject[case],
        items={
            name: tuple(
                tensor + float(sum(hidden))
                for tensor in _open([item.among(pattern) for item in mine[name]])
            )
            for name in pattern
        },
        label=self.label[case],
    )
"""


@pytest.fixture(scope="module")
def made(attempt_in: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place with a cohort, `data`, and a finished run over it that proved itself, `run`."""
    place = tmp_path_factory.mktemp("proof")
    subjects = Subjects(train=10, validation=4, calibration=4, test=4)
    write(AdSimulation(subjects=subjects), place / "data")
    done = attempt_in(place, "train-ad", "data", *BRIEF, "--verify-mask", "1", "--out", "run")
    assert done.code == 0, done.err
    assert "Hidden scans were not used" in done.err
    return place


@pytest.fixture
def place(made: Path, tmp_path: Path) -> Path:
    """A copy of both."""
    return Path(shutil.copytree(made, tmp_path / "copy"))


def found(run: Path, name: str = "verify-mask-2.json") -> dict[str, Any]:
    value: dict[str, Any] = json.loads((run / name).read_text())
    return value


def test_a_run_that_proves_itself_says_so_in_its_report(made: Path) -> None:
    said = found(made / "run", "verify-mask.json")
    assert said["answer"] == "proven"
    assert said["within"]
    assert all(one["hidden"] and not one["left"] for one in said["replaced"])
    assert [one["method"] for one in said["retrained"]] == ["late-sum"]
    assert all(one["recorded"] == one["again"] for one in said["retrained"])
    page = (made / "run" / "report.html").read_text()
    assert "Hidden scans were not used" in page
    assert "Verified within the run" in page
    links = json.loads((made / "run" / "chain.json").read_text())["links"]
    assert len(links) == 1
    assert {"verify-mask.json", "report.html"} <= links[0]["files"].keys()


def test_a_finished_run_is_proven_where_its_files_were_moved(
    attempt_in: Callable[..., Any], place: Path
) -> None:
    before = (place / "run" / "report.html").read_bytes()
    (place / "data").rename(place / "elsewhere")
    brief = ("verify-mask", "run", "--jobs", "1", "--retrain", "0")
    lost = attempt_in(place, *brief)
    assert lost.code == 2
    assert "data: is no folder; name that of the run's files with --data DIR" in lost.err
    done = attempt_in(place, *brief, "--data", "elsewhere")
    assert done.code == 0, done.err
    assert "no model was trained again" in done.out
    said = found(place / "run")
    assert (said["answer"], said["within"], said["retrained"]) == ("proven", False, [])
    assert (place / "run" / "report.html").read_bytes() == before
    links = json.loads((place / "run" / "chain.json").read_text())["links"]
    assert set(links[-1]["files"]) == {"verify-mask-2.json", "report-verified-2.html"}


def test_a_leak_in_a_copy_of_the_program_is_caught(place: Path, tmp_path: Path) -> None:
    package = Path(mmmed.__file__).parent
    shipped = [package.parent / name for name in ("cohorts", "transforms", "pipelines")]
    for folder in (package, *filter(Path.is_dir, shipped)):  # in a wheel they lie in the package
        shutil.copytree(folder, tmp_path / "leaky" / folder.name)
    shelf = tmp_path / "leaky" / "mmmed" / "training" / "shelf.py"
    text = shelf.read_text()
    begin = text.index("        return ModalitySet(")
    end = text.index("    def read_ahead")
    leak = LEAK.strip("\n").replace("\n    ", "\n        ")
    shelf.write_text(f"{text[:begin]}    {leak}\n\n{text[end:]}")
    done = subprocess.run(
        [sys.executable, "-m", "mmmed.cli", "verify-mask", "run", "--jobs", "1", "--retrain", "0"],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "leaky")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 8, done.stderr
    assert found(place / "run")["fault_counts"]["prediction"] > 0


def test_tables_that_were_edited_are_caught(attempt_in: Callable[..., Any], place: Path) -> None:
    predictions, presence = (place / "run" / one for one in ("predictions.tsv", "presence.tsv"))
    predictions.write_text(predictions.read_text().replace("\t0.", "\t0.1", 1))
    presence.write_text(presence.read_text().replace("\thidden", "\tshown", 1))
    done = attempt_in(place, "verify-mask", "run", "--jobs", "1", "--retrain", "0")
    assert done.code == 8
    assert "predictions.tsv is not what the jobs predicted" in done.err
    assert "presence.tsv is not what the study draws" in done.err


def test_a_scan_that_changed_since_is_named(attempt_in: Callable[..., Any], place: Path) -> None:
    first, second = sorted((place / "data").rglob("*pet.nii.gz"))[:2]
    shutil.copy(second, first)
    done = attempt_in(place, "verify-mask", "run", "--jobs", "1")
    assert done.code == 2
    assert f"{first.name}: has changed since the run" in done.err
