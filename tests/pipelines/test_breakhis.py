"""`train-breakhis` on a small tree, and its model on other slides."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file

from mmmed.record import table

BRIEF = (
    "--method", "hypermm", "--no-baselines", "--repeats", "2", "--jobs", "1",
    "--set", "training={steps: 2, batch: 4}",
    "--set", "methods=[{kind: hypermm, agg: attention}]",
    "--set", "evaluation.interval.draws=100",
)  # fmt: skip
MAGNIFICATIONS = (40, 100, 200, 400)
FIRST_TRAINED = ("holdout-0", "train")
SLIDES = [
    *((subtype, 1000 + place) for place, subtype in enumerate(("F", "TA") * 7)),
    *((subtype, 2000 + place) for place, subtype in enumerate(("DC", "LC") * 7)),
    ("LC", 2000),
]
"""Seven of each subtype, and a number that stands under two of them."""


def picture(path: Path, *, seed: int, bright: bool) -> None:
    random = np.random.default_rng(seed)
    pixels = random.integers(0, 100, (12, 18, 3)) + (100 if bright else 0)
    Image.fromarray(pixels.astype(np.uint8)).save(path)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """29 slides; one in four lacks its 40x images, some have two at 400x."""
    root = tmp_path_factory.mktemp("breakhis")
    for place, (subtype, number) in enumerate(SLIDES):
        malignant = subtype in ("DC", "LC")
        letter = "M" if malignant else "B"
        for magnification in MAGNIFICATIONS[place % 4 == 0 :]:
            for sequence in range(1, 3 if magnification == 400 and place % 3 == 0 else 2):
                name = f"SOB_{letter}_{subtype}-14-{number}-{magnification}-{sequence:03d}.png"
                picture(root / name, seed=place * 1000 + magnification, bright=malignant)
    (root / "SOB_B_F-14-1000-40-009.png").write_text("<html>")
    (root / "SOB_B_F-14-1000-63-001.png").write_bytes(b"")
    return root


@pytest.fixture(scope="module")
def run(
    attempt_in: Callable[..., Any], tree: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    place = tmp_path_factory.mktemp("place")
    done = attempt_in(place, "train-breakhis", tree, "--out", "run", *BRIEF)
    assert done.code == 0, done.err
    assert "no magnification 63" in done.err
    return place / "run"


def test_every_pattern_of_four_magnifications_is_scored(run: Path) -> None:
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["rule"].startswith("benign against malignant (positive: malignant)")
    rows = table.read(run / "predictions.tsv", table.PREDICTIONS)
    patterns = {row["pattern"] for row in rows if row["protocol"] == "every-pattern"}
    assert len(patterns) == 15


def test_both_subtypes_of_a_number_are_in_one_part_of_every_hold_out(run: Path) -> None:
    rows = table.read(run / "splits.tsv", table.SPLITS)
    assert {row["fold"] for row in rows} == {"holdout-0", "holdout-1"}
    for fold in ("holdout-0", "holdout-1"):
        part = {row["case_id"]: row["split"] for row in rows if row["fold"] == fold}
        assert part["DC-14-2000"] == part["LC-14-2000"]


def test_what_the_test_images_counted_is_told_and_the_most_attended_are_shown(
    run: Path, tree: Path
) -> None:
    splits = table.read(run / "splits.tsv", table.SPLITS)
    tested = {(row["fold"], row["case_id"]) for row in splits if row["split"] == "test"}
    rows = table.read(run / "attention.tsv", table.ATTENTION)
    weights: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        weights.setdefault((row["fold"], row["case_id"]), []).append(float(row["weight"]))
        assert row["source"].startswith("SOB_")
    assert weights.keys() == tested
    assert all(sum(mine) == pytest.approx(1, abs=1e-6) for mine in weights.values())
    assert all(mine == sorted(mine, reverse=True) for mine in weights.values())
    shown = table.read(run / "attended.tsv", table.ATTENDED)
    assert {row["fold"] for row in shown} == {"holdout-0"}
    chained = json.loads((run / "chain.json").read_text())["links"][0]["files"]
    for row in shown:
        assert row["picture"] in chained
        with Image.open(run / row["picture"]) as small, Image.open(tree / row["source"]) as large:
            assert small.size == large.size
            error = np.asarray(small, float).mean() - np.asarray(large, float).mean()
            assert abs(error) < 2


def test_prediction_tells_what_each_image_counted(
    run: Path, tree: Path, attempt: Callable[..., Any], tmp_path: Path
) -> None:
    others = tmp_path / "others"
    others.mkdir()
    for place, magnification in enumerate((40, 400, 400)):
        file = next(tree.glob(f"SOB_B_F-14-1000-{magnification}-001.png"), None)
        pixels = (file or tree / "SOB_B_F-14-1000-400-001.png").read_bytes()
        (others / f"SOB_B_F-14-77-{magnification}-{place:03d}.png").write_bytes(pixels)
    for option in ("--qc", "--no-qc"):
        done = attempt("predict", run / "model", others, "--out", f"out{option}", option)
        assert done.code == 0, done.err
    with_pictures, without = (tmp_path / "place" / f"out{one}" for one in ("--qc", "--no-qc"))
    rows = table.read(with_pictures / "attention.tsv", table.ATTENTION)
    assert [row["rank"] for row in rows] == ["1", "2", "3"]
    assert sorted(row["source"][-7:] for row in rows) == ["000.png", "001.png", "002.png"]
    pictures = sorted(one.name for one in (with_pictures / "attended").iterdir())
    assert pictures == ["0001-1.jpg", "0001-2.jpg", "0001-3.jpg"]
    assert (without / "attention.tsv").read_bytes() == (
        with_pictures / "attention.tsv"
    ).read_bytes()
    assert not (without / "attended").exists()
    assert not (without / "attended.tsv").exists()


def listed(tree: Path, folder: Path) -> Path:
    """Two folds: numbers that end on 10 or more are tested, and the second slide of 2000."""
    lines = [
        f"{path.name}|{path.name.split('-')[3]}|{fold}|"
        + ("test" if int(path.name.split("-")[2]) % 1000 > 9 or "LC-14-2000" in path.name else side)
        for fold, side in ((1, "train"), (3, "train"))
        for path in sorted(tree.glob("SOB*.png"))
        if fold == 1 or "LC-14-2000" not in path.name
    ]
    wrong = "SOB_B_F-14-1000-40-001.png|400|1|train"
    folder.mkdir(parents=True)
    (folder / "dsfold.txt").write_text("\n".join([*lines, wrong, "SOB_B_F-14-1000-40-0", ""]))
    return folder


@pytest.fixture(scope="module")
def official(
    attempt_in: Callable[..., Any], tree: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str]:
    """The study of the official folds, on two of them and without x400: its run, what was told."""
    place = tmp_path_factory.mktemp("official")
    listed(tree, place / "folds")
    done = attempt_in(
        place, "run", "breakhis/official-folds", "--out", "run", "--jobs", "1",
        "--set", f"cohort.root={tree}",
        "--set", "transforms={x40: histology, x100: histology, x200: histology}",
        "--set", "methods=[{kind: hypermm}]",
        "--set", "training={steps: 2, batch: 4}",
        "--set", "evaluation={positive: malignant, images: true, interval: {draws: 100}}",
    )  # fmt: skip
    assert done.code == 0, done.err
    return place / "run", done.err + done.out


def test_the_study_of_the_official_folds_goes_on_and_names_who_leaks(
    official: tuple[Path, str],
) -> None:
    run, told = official
    assert "fold-1: subject 14-2000 leaks: DC-14-2000 in train" in told
    assert "has magnification 40 by name, here '400'; left out" in told
    assert "'SOB_B_F-14-1000-40-0' is truncated" in told
    leaks = table.read(run / "leaks.tsv", table.LEAKS)
    assert {(row["fold"], row["case_id"], row["split"]) for row in leaks} == {
        ("fold-1", "DC-14-2000", "train"),
        ("fold-1", "LC-14-2000", "test"),
    }
    assert {row["name"].split("-")[2] for row in leaks} == {"2000"}
    rows = table.read(run / "splits.tsv", table.SPLITS)
    assert {row["fold"] for row in rows} == {"fold-1", "fold-3"}
    assert "LC-14-2000" not in {row["case_id"] for row in rows if row["fold"] == "fold-3"}
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "What the lists leak" in page
    assert "SOB_M_LC-14-2000-100-001.png" in page
    assert "subject 14-2000 leaks" in " ".join(
        json.loads((run / "metrics.json").read_text())["notes"]
    )
    named = (run / "chain.json").read_text()
    assert "dsfold.txt" in named


def test_every_image_of_a_tested_case_is_scored_alone(
    official: tuple[Path, str], tree: Path
) -> None:
    run, told = official
    images = table.read(run / "images.tsv", table.IMAGES)
    parts = table.read(run / "splits.tsv", table.SPLITS)
    tested = {row["case_id"] for row in parts if (row["fold"], row["split"]) == ("fold-1", "test")}
    found = {row["image"] for row in images if row["fold"] == "fold-1"}
    assert found == {
        path.name
        for path in tree.glob("SOB*.png")
        if "-400-" not in path.name
        and path.name.removeprefix("SOB_B_").removeprefix("SOB_M_").rsplit("-", 2)[0] in tested
    }
    predicted = {
        (row["case_id"], row["pattern"]): row["p_malignant"]
        for row in table.read(run / "predictions.tsv", table.PREDICTIONS)
        if (row["fold"], row["protocol"]) == ("fold-1", "every-pattern")
    }
    alone = [row for row in images if row["fold"] == "fold-1" and row["modality"] == "x40"]
    assert alone
    assert all(row["p_malignant"] == predicted[row["case_id"], "x40"] for row in alone)
    rates = json.loads((run / "metrics.json").read_text())["images"]
    assert {row["modality"] for row in rates} == {"x40", "x100", "x200", "all"}
    assert {row["rate"] for row in rates} == {"image rate", "patient rate", "set rate"}
    assert "image rate" in told
    assert "Images one by one" in (run / "report.html").read_text(encoding="utf-8")


def damaged(folder: Path) -> Path:
    """One slide whose images are whole but one, and others with a fault each."""
    folder.mkdir()
    for name in ("F-14-51-40-001", "F-14-51-100-001", "F-14-52-40-001", "F-14-53-40-001"):
        picture(folder / f"SOB_B_{name}.png", seed=1, bright=False)
    pixels = Image.open(folder / "SOB_B_F-14-51-40-001.png")
    pixels.save(folder / "SOB_B_F-14-51-40-002.png", format="JPEG")
    whole = (folder / "SOB_B_F-14-51-40-001.png").read_bytes()
    (folder / "SOB_B_F-14-51-40-003.png").write_bytes(whole[: len(whole) // 2])
    pixels.convert("L").save(folder / "SOB_B_F-14-54-40-001.png")
    pixels.convert("RGBA").save(folder / "SOB_B_F-14-55-40-001.png")
    glass = pixels.convert("RGBA")
    glass.putalpha(128)
    glass.save(folder / "SOB_B_F-14-56-40-001.png")
    picture(folder / "SOB_B_F-14-52-400-001.png", seed=2, bright=False)
    picture(folder / "SOB_B_DC-14-57-40-001.png", seed=3, bright=True)
    return folder


def test_every_bad_image_is_one_line_and_the_rest_is_predicted(
    official: tuple[Path, str], attempt: Callable[..., Any], tmp_path: Path
) -> None:
    run, _ = official
    done = attempt("predict", run / "model", damaged(tmp_path / "bad"), "--out", "out")
    assert done.code in (0, 8), done.err
    out = tmp_path / "place" / "out"
    rows = table.read(out / "predictions.tsv", table.PREDICTIONS)
    assert {row["case_id"]: row["pattern"] for row in rows} == {
        "F-14-51": "x40+x100",
        "F-14-52": "x40",
        "F-14-53": "x40",
        "F-14-54": "x40",
        "F-14-55": "x40",
    }
    lines = (out / "quarantine.tsv").read_text().splitlines()[2:]
    told = {tuple(line.split("\t")[:2]): line.split("\t")[2] for line in lines}
    jpeg, cut = (line for line in lines if line.startswith("F-14-51\tx40"))
    assert "SOB_B_F-14-51-40-002.png: is a JPEG by its content" in jpeg
    assert "SOB_B_F-14-51-40-003.png" in cut
    assert told["F-14-52", "x400"].startswith("1 image(s) at a magnification that is not asked for")
    assert "transparent" in told["F-14-56", "x40"]
    assert "DC is malignant" in told["SOB_B_DC-14-57-40-001.png", "n/a"]


def test_a_table_that_contradicts_the_names_costs_its_slide_alone(
    attempt: Callable[..., Any], tree: Path, tmp_path: Path
) -> None:
    root = tmp_path / "images"
    root.mkdir()
    for path in sorted(tree.glob("SOB*-14-?00[01]-*-001.png")):
        (root / path.name).write_bytes(path.read_bytes())
    (root / "slides.tsv").write_text("slide\tdiagnosis\nF-14-1000\tmalignant\n")
    reading = "cohort={name: breakhis, root: " + str(root) + ", reading: {table: slides.tsv}}"
    done = attempt("check", "breakhis/official-folds", "--set", reading)
    assert done.code == 8, done.err
    said = done.out + done.err
    assert "its diagnosis is malignant in slides.tsv, benign in its names; left out" in said


@pytest.fixture(scope="module")
def trained(run: Path) -> dict[str, int]:
    """How many slides of each diagnosis the model of the package was trained on."""
    parts = table.read(run / "splits.tsv", table.SPLITS)
    cases = [row["case_id"] for row in parts if (row["fold"], row["split"]) == FIRST_TRAINED]
    malignant = sum(case.startswith(("DC", "LC")) for case in cases)
    assert malignant != len(cases) / 2
    return {"malignant": malignant, "benign": len(cases) - malignant}


def test_the_threshold_is_the_share_of_malignant_slides_in_the_training_part(
    run: Path, trained: dict[str, int]
) -> None:
    package = json.loads((run / "model" / "model.json").read_text())
    share = trained["malignant"] / (trained["malignant"] + trained["benign"])
    assert package["threshold"]["value"] == share


def test_the_package_carries_the_prior_of_the_training_part(
    run: Path, trained: dict[str, int]
) -> None:
    benign, malignant = load_file(run / "model" / "weights.safetensors")["model.prior.log"]
    expected = math.log((trained["malignant"] + 1) / (trained["benign"] + 1))
    assert malignant - benign == pytest.approx(expected, rel=1e-5)


@pytest.mark.shared
def test_the_model_reads_real_images_with_the_magnifications_they_have(
    run: Path, data: Path, attempt: Callable[..., Any], tmp_path: Path
) -> None:
    done = attempt("predict", run / "model", data / "breakhis", "--out", "out")
    assert done.code == 0, done.err
    rows = table.read(tmp_path / "place" / "out" / "predictions.tsv", table.PREDICTIONS)
    shown = {row["case_id"]: row["pattern"] for row in rows}
    assert shown["F-14-25197"] == "x40+x100+x200+x400"
    assert {pattern for case, pattern in shown.items() if case != "F-14-25197"} == {"x40"}
    assert len(shown) == 7


def test_without_data_simulated_slides_are_scored_beside_what_is_best_for_them(
    attempt: Callable[..., Any], tmp_path: Path
) -> None:
    few = "cohort.simulation={slides: {F: 12, DC: 12}, images: [1, 1], rows: 16}"
    brief = [*BRIEF, "--repeats", "1"]
    done = attempt("train-breakhis", "--set", few, "--out", "run", *brief)
    assert done.code == 0, done.err
    run = tmp_path / "place" / "run"
    known = json.loads((run / "ceilings.json").read_text())["rows"]
    assert [row["rate"] for row in known] == [None] * 15 + [0.0, 0.5]
    assert len(json.loads((run / "truth.json").read_text())["cases"]) == 24
    scored = json.loads((run / "metrics.json").read_text())["rows"]
    forced = [one for one in scored if one["metric"] == "auroc" and one["table"] == "forced"]
    assert {one["pattern"] for one in forced if one["oracle"] is not None} >= {"x40", "x40+x400"}
