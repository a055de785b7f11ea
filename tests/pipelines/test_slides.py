"""Whole slides from nothing to a report, checked, and its model on other slides."""

from __future__ import annotations

import base64
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mmmed.record import table
from mmmed.simulation.slides.spec import SlideSimulation
from mmmed.simulation.slides.writing import write

SIMULATION = "{slides: 20, side: 512, repeated: 0.0, coarse: 0.2, labelled: 0.2, seed: 1}"
BRIEF = (
    "--set", f"cohort.simulation={SIMULATION}",
    "--set", "methods=[{kind: hypermm, agg: attention}]",
    "--set", "training={steps: 2, batch: 4}",
    "--set", "evaluation={positive: malignant, images: true, interval: {draws: 100}}",
)  # fmt: skip


@pytest.fixture(scope="module")
def run(attempt_in: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("place")
    done = attempt_in(
        place, "run", "breakhis/simulated-slides", "--out", "run", "--jobs", "1", "--qc", *BRIEF
    )
    assert done.code == 0, done.err
    assert "slides by um per pixel of their scan: " in done.err
    return place / "run"


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three slides that nobody labelled, one of them without mpp, and a truncated one."""
    root = tmp_path_factory.mktemp("clinic")
    write(SlideSimulation(slides=3, side=512, seed=7, coarse=0.0), root / "slides")
    (root / "slides" / "slides.csv").unlink()
    whole = next((root / "slides").glob("S-0001.*"))
    (root / "slides" / "broken.tif").write_bytes(whole.read_bytes()[:5000])
    return root / "slides"


def test_every_pattern_is_scored_beside_its_ceiling(run: Path) -> None:
    rows = table.read(run / "predictions.tsv", table.PREDICTIONS)
    patterns = {row["pattern"] for row in rows if row["protocol"] == "every-pattern"}
    assert len(patterns) == 15
    known = json.loads((run / "ceilings.json").read_text())["rows"]
    assert {row["pattern"] for row in known} == patterns
    truth = json.loads((run / "truth.json").read_text())
    assert known[0]["ceiling_images"] == truth["ceilings"][known[0]["pattern"]]
    metrics = json.loads((run / "metrics.json").read_text())
    assert any(note.startswith("slides by um per pixel") for note in metrics["notes"])


def test_the_chain_names_each_slide_once(run: Path) -> None:
    inputs = json.loads((run / "chain.json").read_text())["links"][0]["inputs"]
    slides = [name for name in inputs if Path(name).name.startswith("S-0")]
    assert len(slides) == len(set(slides)) == 20


def test_the_report_shows_slides_with_their_tiles(run: Path) -> None:
    assert len(list((run / "qc").glob("*_slide-1_tiles.png"))) == 20
    page = (run / "report.html").read_text()
    assert page.count('alt="Tissue of P-') == 12
    assert "Shown are 12 of 20; the others are in qc/." in page


def test_the_report_shows_the_most_attended_tiles_and_says_where_they_lie(run: Path) -> None:
    rows = table.read(run / "attended.tsv", table.ATTENDED)
    page = (run / "report.html").read_text()
    assert rows
    for row in rows:
        place = re.fullmatch(r"S-\d+\.\w+ at \d+, \d+ \([\d.]+ um per pixel\)", row["source"])
        assert place, row["source"]
        assert row["source"] in page
        jpeg = base64.b64encode((run / row["picture"]).read_bytes()).decode()
        assert f"data:image/jpeg;base64,{jpeg}" in page


def test_tiles_that_are_scored_alone_are_told_apart(run: Path) -> None:
    rows = table.read(run / "images.tsv", table.IMAGES)
    places = [(row["modality"], row["image"]) for row in rows]
    assert places
    assert len(set(places)) == len(places)


def test_a_model_predicts_slides_that_nobody_labelled(
    run: Path, clinic: Path, attempt: Callable[..., Any], tmp_path: Path
) -> None:
    done = attempt("predict", run / "model", clinic, "--out", "out")
    assert done.code == 0, done.err
    out = tmp_path / "place" / "out"
    rows = table.read(out / "predictions.tsv", table.PREDICTIONS)
    assert {row["case_id"]: row["pattern"] for row in rows} == dict.fromkeys(
        ("S-0001", "S-0002", "S-0003"), "x5+x10+x20+x40"
    )
    (left,) = (out / "quarantine.tsv").read_text().splitlines()[2:]
    assert left.startswith("broken\t")
    assert str(clinic) not in left
    assert len(list((out / "qc").glob("S-*_slide-1_tiles.png"))) == 3
    attended = table.read(out / "attended.tsv", table.ATTENDED)
    assert {row["case_id"] for row in attended} == {"S-0001", "S-0002", "S-0003"}
    assert all((out / row["picture"]).is_file() for row in attended)


def test_check_reads_a_folder_of_slides_as_such(
    clinic: Path, attempt: Callable[..., Any], tmp_path: Path
) -> None:
    labelled = tmp_path / "labelled"
    shutil.copytree(clinic, labelled)
    (labelled / "slides.csv").write_text(
        "case_id,slide_id,label\nP-1,S-0001,benign\nP-2,S-0002,malignant\nP-2,S-0003,malignant\n"
        "P-3,broken,benign\n"
    )
    for folder, said in ((clinic, "no labels"), (labelled, "classes benign, malignant")):
        done = attempt("check", folder)
        assert done.code == 8, done.err
        assert f"read as cohorts/slides.yaml says (x5, x10, x20, x40; {said})" in done.out
        assert "3 at 0.25" in done.out
        assert sum(line.startswith("fault: ") for line in done.out.splitlines()) == 1


def test_train_breakhis_takes_a_folder_of_slides_and_shows_them(
    attempt: Callable[..., Any], tmp_path: Path
) -> None:
    spec = SlideSimulation(slides=16, side=512, repeated=0.0, coarse=0.0, labelled=0.0, seed=3)
    write(spec, tmp_path / "slides")
    brief = ("--method", "late-sum", "--no-baselines", "--repeats", "1", "--jobs", "1")
    training = "training={steps: 1, batch: 2, check_every: 1}"
    parts = "splits={kind: holdout, validation: 0.2, calibration: 0.2, test: 0.2}"
    few = (
        "cohort.reading={tiles: 1, pixels: 48}",
        "evaluation.interval.draws=100",
        parts,
        training,
    )
    chosen = [part for one in few for part in ("--set", one)]
    done = attempt("train-breakhis", tmp_path / "slides", "--out", "run", *brief, *chosen)
    assert done.code == 0, done.err
    made = tmp_path / "place" / "run"
    assert len(list((made / "qc").glob("*_slide-1_tiles.png"))) == 16
    assert len(table.read(made / "predictions.tsv", table.PREDICTIONS)) >= 15


def test_train_breakhis_asks_for_the_table_of_slides(
    clinic: Path, attempt: Callable[..., Any]
) -> None:
    done = attempt("train-breakhis", clinic, "--out", "run")
    assert done.code == 2
    assert "slides.csv: is not there" in done.complaints[0]
