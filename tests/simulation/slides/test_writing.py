"""Simulated whole slides as OpenSlide and their truth have them."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import openslide
import pytest
from PIL import Image, ImageDraw
from scipy.stats import norm

from mmmed.errors import StudyError
from mmmed.simulation.slides import pyramid
from mmmed.simulation.slides.order import draw_whole_slides
from mmmed.simulation.slides.pyramid import write_pyramid
from mmmed.simulation.slides.spec import SlideSimulation
from mmmed.simulation.slides.writing import write

SMALL = SlideSimulation(slides=6, side=512, seed=3, coarse=0.4, labelled=0.5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("slides")
    write(SMALL, out)
    return out


@pytest.fixture(scope="module")
def truth(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "truth.json").read_text())
    return found


def overrides(folder: Path) -> dict[str, float]:
    with (folder / "mpp.csv").open() as file:
        return {row["wsi"]: float(row["mpp"]) for row in csv.DictReader(file)}


def test_openslide_opens_every_slide_with_the_mpp_of_the_truth(
    folder: Path, truth: dict[str, Any]
) -> None:
    stated = {}
    for name, one in truth["slides"].items():
        with openslide.OpenSlide(folder / one["file"]) as slide:
            assert slide.level_count >= 3
            assert slide.level_downsamples == tuple(2.0**k for k in range(slide.level_count))
            stated[name] = slide.properties.get(openslide.PROPERTY_NAME_MPP_X)
    silent = [name for name, mpp in stated.items() if mpp is None]
    assert len(silent) == 1
    assert overrides(folder) == {
        truth["slides"][name]["file"]: truth["slides"][name]["mpp"] for name in silent
    }
    assert all(
        float(mpp) == pytest.approx(truth["slides"][name]["mpp"])
        for name, mpp in stated.items()
        if mpp is not None
    )


def test_a_slide_scanned_at_20x_has_no_finer_level_and_says_so(truth: dict[str, Any]) -> None:
    offered = {(one["mpp"], one["offers"]) for one in truth["slides"].values()}
    assert offered == {(0.25, "x5+x10+x20+x40"), (0.5, "x5+x10+x20")}


def test_labels_in_the_manner_of_aperio_carry_a_name(folder: Path, truth: dict[str, Any]) -> None:
    found = [one["file"] for one in truth["slides"].values() if one["file"].endswith(".svs")]
    assert found
    for name in found:
        with openslide.OpenSlide(folder / name) as slide:
            assert set(slide.associated_images) == {"label", "macro", "thumbnail"}
            label = np.asarray(slide.associated_images["label"].convert("L"))
            assert (label < 128).sum() > 100


def test_tissue_holes_and_ink_lie_where_the_truth_says(folder: Path, truth: dict[str, Any]) -> None:
    """Read at the finest level by OpenSlide, against the polygons drawn by Pillow."""
    marked = 0
    for one in truth["slides"].values():
        with openslide.OpenSlide(folder / one["file"]) as slide:
            size = slide.dimensions
            pixels = np.asarray(slide.read_region((0, 0), 0, size).convert("RGB")).astype(int)
        glass = (pixels == pixels[0, 0]).all(axis=2)
        ink = inside(one["pens"], size)
        hole = inside(one["holes"], size) & ~ink
        tissue = inside([one["tissue"]], size) & ~hole & ~ink
        assert glass[hole].mean() > 0.98
        assert glass[tissue].mean() < 0.02
        marked += len(one["pens"])
        assert not ink.any() or np.unique(pixels[ink], axis=0).shape[0] < 50
    assert marked


def inside(outlines: list[list[list[float]]], size: tuple[int, int]) -> np.ndarray:
    image = Image.new("1", size)
    for one in outlines:
        ImageDraw.Draw(image).polygon([(x, y) for x, y in one], fill=1)
    return np.array(image)


def test_the_table_names_a_patient_and_a_diagnosis_of_every_slide(
    folder: Path, truth: dict[str, Any]
) -> None:
    with (folder / "slides.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["slide_id"]: row["case_id"] for row in rows} == {
        name: one["case"] for name, one in truth["slides"].items()
    }
    words = ("benign", "malignant")
    assert all(row["label"] == words[truth["cases"][row["case_id"]]["label"]] for row in rows)
    assert {row["label"] for row in rows} == set(words)


def test_some_patients_have_several_slides() -> None:
    found = draw_whole_slides(SlideSimulation(slides=40, repeated=0.3))
    cases = {one.case for one in found}
    assert 20 < len(cases) < 38
    assert all(len({one.label for one in found if one.case == case}) == 1 for case in cases)


def test_the_ceiling_of_an_objective_is_that_of_its_magnification(truth: dict[str, Any]) -> None:
    """By the law: the AUROC it states; of all four, that of the joint distance."""
    law = truth["law"]
    pairs = {"x5": "x40", "x10": "x100", "x20": "x200", "x40": "x400"}
    for objective, shown in pairs.items():
        assert truth["ceilings"][objective]["auroc"] == pytest.approx(law[shown])
    distance = np.sqrt(sum(2 * norm.ppf(law[name]) ** 2 for name in pairs.values()))
    whole = truth["ceilings"]["x5+x10+x20+x40"]["auroc"]
    assert whole == pytest.approx(norm.cdf(distance / np.sqrt(2)))
    assert all(len(case["log_odds"]) == 15 for case in truth["cases"].values())


def test_a_level_tells_nothing_of_the_burdens_of_others(tmp_path: Path) -> None:
    """Another burden at 40x changes the finest level and no byte of the rest."""
    spec = SMALL.model_copy(update={"coarse": 0.0})
    order = draw_whole_slides(spec)[0]
    changed = type(order)(**{**vars(order), "burdens": order.burdens + np.eye(4)[3]})
    levels = []
    for number, one in enumerate((order, changed)):
        path = tmp_path / f"{number}.tif"
        write_pyramid(spec, one, path)
        with openslide.OpenSlide(path) as slide:
            levels.append(
                [
                    slide.read_region((0, 0), k, slide.level_dimensions[k]).tobytes()
                    for k in range(4)
                ]
            )
    assert [one == two for one, two in zip(*levels, strict=True)] == [False, True, True, True]


def test_a_call_that_was_cut_off_goes_on_to_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    few = SMALL.model_copy(update={"slides": 2})
    write(few, tmp_path / "whole")
    kept = {path.name: path.read_bytes() for path in (tmp_path / "whole").iterdir()}
    (tmp_path / "whole" / "truth.json").unlink()
    next((tmp_path / "whole").glob("S-0002.*")).unlink()
    first = next((tmp_path / "whole").glob("S-0001.*"))
    before = first.stat().st_mtime_ns
    write(few, tmp_path / "whole")
    assert {path.name: path.read_bytes() for path in (tmp_path / "whole").iterdir()} == kept
    assert first.stat().st_mtime_ns == before
    with pytest.raises(StudyError, match="other settings"):
        write(few.model_copy(update={"seed": 4}), tmp_path / "whole")


def test_a_slide_too_large_for_tiff_is_bigtiff_and_openslide_opens_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pyramid, "CLASSIC", 0)
    order = draw_whole_slides(SMALL)[0]
    large = tmp_path / order.file
    write_pyramid(SMALL, order, large)
    assert (folder / order.file).read_bytes()[2] == 42
    assert large.read_bytes()[2] == 43
    with openslide.OpenSlide(large) as one, openslide.OpenSlide(folder / order.file) as other:
        read = [slide.read_region((128, 128), 0, (256, 256)) for slide in (one, other)]
    assert read[0].tobytes() == read[1].tobytes()
