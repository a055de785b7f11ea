"""Simulated slides on disk: read back by name, known in truth, the same however they were made."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import cross_val_predict

from mmmed.cohorts.breakhis import BreakHisCohort
from mmmed.cohorts.reading import read
from mmmed.errors import StudyError
from mmmed.simulation.tissue import writing
from mmmed.simulation.tissue.law import MAGNIFICATIONS
from mmmed.simulation.tissue.rendering import draw_slide, render
from mmmed.simulation.tissue.spec import BreakHisSimulation
from mmmed.simulation.tissue.writing import write

SMALL = BreakHisSimulation(slides={"F": 3, "DC": 2, "LC": 2}, images=(1, 2), rows=16, seed=5)
READ = {
    "kind": "breakhis",
    "modalities": {name: {"magnification": one} for name, one in MAGNIFICATIONS.items()},
    "label": {"column": "diagnosis", "classes": ["benign", "malignant"]},
}


def content(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def test_what_is_written_is_read_as_the_slides_of_the_truth(tmp_path: Path) -> None:
    write(SMALL, tmp_path)
    truth = json.loads((tmp_path / "truth.json").read_text())["cases"]
    found = read(BreakHisCohort.model_validate({**READ, "root": tmp_path}), "tissue")
    assert {case.id: case.label for case in found.cases} == {
        case: one["label"] for case, one in truth.items()
    }
    assert not found.faults
    subjects = {case.id: case.subject for case in found.cases}
    assert subjects["DC-14-13412"] == subjects["LC-14-13412"]
    assert len(set(subjects.values())) == len(subjects) - 1
    assert all(len(one["log_odds"]) == 15 for one in truth.values())


def test_processes_and_a_call_that_was_cut_off_change_no_byte(tmp_path: Path) -> None:
    write(SMALL, tmp_path / "whole")
    write(SMALL, tmp_path / "cut")
    (tmp_path / "cut" / "truth.json").unlink()
    next((tmp_path / "cut").rglob("*.png")).unlink()
    write(SMALL, tmp_path / "cut", jobs=2)
    assert content(tmp_path / "whole") == content(tmp_path / "cut")


def test_another_seed_gives_other_images_and_no_folder_holds_two_cohorts(tmp_path: Path) -> None:
    write(SMALL, tmp_path / "one")
    other = SMALL.model_copy(update={"seed": 6})
    write(other, tmp_path / "two")
    one, two = content(tmp_path / "one"), content(tmp_path / "two")
    assert [one[name] for name in one if name in two and name.endswith("png")] != [
        two[name] for name in one if name in two and name.endswith("png")
    ]
    with pytest.raises(StudyError, match="other settings"):
        write(other, tmp_path / "one")


def test_a_folder_of_another_format_is_not_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(SMALL, tmp_path)
    monkeypatch.setattr(writing, "FORMAT", writing.FORMAT + 1)
    with pytest.raises(StudyError, match="other settings"):
        write(SMALL, tmp_path)


def test_slides_that_lack_magnifications_keep_one(tmp_path: Path) -> None:
    sparse = SMALL.model_copy(update={"missing": 0.7, "slides": {"F": 20, "DC": 20}})
    write(sparse, tmp_path)
    found = read(BreakHisCohort.model_validate({**READ, "root": tmp_path}), "tissue")
    assert len(found.cases) == 40
    owned = found.owned()
    assert owned.any(axis=1).all()
    assert 0.15 < owned.to_numpy().mean() < 0.5


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"slides": {"XX": 3}}, "no subtype 'XX'"),
        ({"slides": {"F": 0}}, "at least one slide"),
        ({"images": (4, 2)}, "the smaller number first"),
    ],
)
def test_settings_that_cannot_be_are_named(settings: dict[str, object], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        BreakHisSimulation.model_validate(settings)


@pytest.mark.parametrize("magnification", MAGNIFICATIONS.values())
def test_the_colours_of_an_image_tell_its_burden(magnification: int) -> None:
    """Ridge regression on means and spreads of absorbance: a plain reader finds the burden."""
    random = np.random.default_rng(magnification)
    burdens = random.normal(0, 1.2, 120)
    features = []
    for burden in burdens:
        image = render(magnification, float(burden), draw_slide(random), random, shape=(48, 72))
        absorbed = -np.log((image + 1.0) / 256).reshape(-1, 3)
        features.append(
            np.r_[
                absorbed.mean(0),
                absorbed.std(0),
                np.quantile(absorbed, [0.1, 0.5, 0.9], axis=0).ravel(),
            ]
        )
    guessed = cross_val_predict(RidgeCV(np.logspace(-3, 3, 7)), np.array(features), burdens, cv=5)
    assert np.corrcoef(guessed, burdens)[0, 1] > 0.9


def test_images_are_colour_of_the_asked_size(tmp_path: Path) -> None:
    write(SMALL, tmp_path)
    with Image.open(next(tmp_path.rglob("*.png"))) as image:
        assert (image.size, image.mode) == ((24, 16), "RGB")
