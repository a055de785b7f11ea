"""The proof as the last step of a run over small images, and what interrupts it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mmmed.pipelines.run import run
from mmmed.pipelines.study import load_study
from mmmed.progress import Silent

SETTINGS = (
    "cohort={name: breakhis, root: tree}",
    "transforms={x40: histology, x100: histology}",
    "methods=[{kind: late-sum}, {kind: early-fusion}]",
    "training={steps: 2, batch: 4}",
    "splits={kind: holdout}",
    "evaluation={positive: malignant, interval: {draws: 100}}",
    "verify={retrain: 1}",
)
ARGUMENTS = (
    "run", "breakhis/train", "--jobs", "1", "--out", "run",
    *(part for one in SETTINGS for part in ("--set", one)),
)  # fmt: skip


class Interrupting(Silent):
    """Ctrl-C as soon as a task begins."""

    def __init__(self, task: str) -> None:
        self._task = task

    def __call__(self, task: str, done: int, total: int) -> None:  # noqa: ARG002 - a listener
        if task.startswith(self._task):
            raise KeyboardInterrupt


class Replacing(Silent):
    """Another image in place of one, as soon as jobs are done."""

    def __init__(self, path: Path, other: Path) -> None:
        self._path, self._other = path, other

    def overall(self, text: str, done: int, total: int) -> None:  # noqa: ARG002 - a listener
        shutil.copy(self._other, self._path)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fourteen slides of each class at two magnifications."""
    root = tmp_path_factory.mktemp("images") / "tree"
    root.mkdir()
    random = np.random.default_rng(0)
    for number in range(28):
        kind = "M_DC" if number % 2 else "B_F"
        for magnification in (40, 100):
            pixels = random.integers(0, 100, (12, 18, 3)) + 100 * (number % 2)
            name = f"SOB_{kind}-14-{1000 + number}-{magnification}-001.png"
            Image.fromarray(pixels.astype(np.uint8)).save(root / name)
    return root


@pytest.fixture(scope="module")
def made(
    attempt_in: Callable[..., Any], tree: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A place with the images, `tree`, and a finished run over them, `run`."""
    place = tmp_path_factory.mktemp("closing")
    shutil.copytree(tree, place / "tree")
    done = attempt_in(place, *ARGUMENTS)
    assert done.code == 0, done.err
    return place


@pytest.fixture
def place(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of both, and the current directory."""
    copy = Path(shutil.copytree(made, tmp_path / "copy"))
    monkeypatch.chdir(copy)
    return copy


def said(run: Path, name: str = "verify-mask.json") -> dict[str, Any]:
    value: dict[str, Any] = json.loads((run / name).read_text())
    return value


def test_a_run_over_images_is_proven_and_names_the_methods_not_trained_again(made: Path) -> None:
    found = said(made / "run")
    assert found["answer"] == "proven"
    assert {one["modality"] for one in found["replaced"]} == {"x40", "x100"}
    assert all(one["ways"]["swap"] == one["hidden"] for one in found["replaced"])
    assert found["methods"] == {
        "late-sum": {"models": 1, "again": 1},
        "early-fusion": {"models": 1, "again": 0},
    }
    assert found["sentence"].endswith("of early-fusion no model was trained again.")


def test_where_nothing_is_hidden_there_is_nothing_to_prove(
    attempt_in: Callable[..., Any], tree: Path
) -> None:
    shown = "protocols={train: [{kind: complete}], test: [{kind: mcar, modality: x40, rate: 0}]}"
    one = "methods=[{kind: late-sum}]"
    done = attempt_in(tree.parent, *ARGUMENTS, "--set", shown, "--set", one)
    assert done.code == 0, done.err
    assert "there was nothing to prove" in done.err
    assert said(tree.parent / "run")["answer"] == "nothing hidden"


def unfinished(run: Path) -> None:
    """As a kill leaves it whose jobs are done."""
    for name in ("chain.json", "report.html", "verify-mask.json"):
        (run / name).unlink()


def test_an_interrupted_proof_is_gone_on_with_and_a_fault_is_told_beside_the_whole_report(
    attempt_in: Callable[..., Any],
    place: Path,
    attempt_cache: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unfinished(place / "run")
    study = load_study("breakhis/train", settings=SETTINGS, start=place)
    interrupting = Interrupting("train again")
    monkeypatch.setenv("MMMED_CACHE", str(attempt_cache))
    with pytest.raises(KeyboardInterrupt):
        run(study, start=place, out=Path("run"), resume=True, jobs=1, listener=interrupting)
    assert not (place / "run" / "chain.json").exists()
    left = next(attempt_cache.glob("verify-mask/*/jobs/*/noise.tsv"))
    left.write_text(left.read_text().replace("\t0.", "\t0.1", 1))
    done = attempt_in(place, *ARGUMENTS, "--resume")
    assert done.code == 8
    assert "is predicted otherwise when hidden scans are noise" in done.err
    assert said(place / "run")["fault_counts"] == {"prediction": 1}
    assert said(place / "run")["retrained"]
    assert "Not proven: " in (place / "run" / "report.html").read_text()
    files = json.loads((place / "run" / "chain.json").read_text())["links"][0]["files"]
    assert "verify-mask.json" in files


def test_a_proof_that_cannot_be_made_loses_no_report(
    attempt_in: Callable[..., Any], place: Path
) -> None:
    unfinished(place / "run")
    first, second = sorted((place / "tree").iterdir())[:2]
    study = load_study("breakhis/train", settings=SETTINGS, start=place)
    replacing = Replacing(first, second)
    outcome = run(study, start=place, out=Path("run"), resume=True, jobs=1, listener=replacing)
    assert any(f"{first.name}: has changed since the run" in line for line in outcome.failed)
    assert said(place / "run")["answer"] == "not verified"
    assert "Not verified: " in (place / "run" / "report.html").read_text()
    assert (place / "run" / "chain.json").exists()
