"""Pictures end to end: a table of PNG and TIFF files, four methods, a report, new cases."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gallery
import numpy as np
import pytest
from PIL import Image

from mmmed.record import table

ODD = {**gallery.REFUSED, **gallery.READ}
METHODS = ("hypermm", "late-sum", "late-fusion", "early-fusion")
LOST = "case-23"
"""A training case whose only file is a web page."""

Attempt = Callable[..., Any]


@dataclass(frozen=True)
class Done:
    """A finished run.

    Attributes:
        place: the workspace it was started in.
        root: of the cohort.
        beside: name of an odd file -> the case that owns it.
        said: by the command, on stderr.
    """

    place: Path
    root: Path
    beside: dict[str, str]
    said: str

    @property
    def run(self) -> Path:
        return self.place / "run"


@pytest.fixture(scope="module")
def done(attempt_in: Attempt, tmp_path_factory: pytest.TempPathFactory) -> Done:
    """A run of the study `gallery` over a cohort in which every odd file stands once."""
    place = tmp_path_factory.mktemp("place")
    root = tmp_path_factory.mktemp("data") / "gallery"
    gallery.write_workspace(place)
    beside = gallery.write_cohort(root, beside=ODD)
    lost = [row for row in gallery.read_table(root) if row["case_id"] == LOST]
    assert [row["scope_1"] for row in lost] == ["n/a"]
    gallery.REFUSED["web-page"].write(root / lost[0]["photo"])
    root_is = f"cohort={{name: gallery, root: {root}}}"
    ran = attempt_in(place, "run", "gallery", "--set", root_is, "--jobs", "1", "--out", "run")
    assert ran.code == 0, ran.err
    return Done(place, root, beside, ran.err)


def items(root: Path, modality: str) -> list[str]:
    """The files of a modality that can be read, by their names."""
    refused = {f"{name}{one.ending}" for name, one in gallery.REFUSED.items()}
    rows = [row for row in gallery.read_table(root) if row["case_id"] != LOST]
    cells = [row[key] for row in rows for key in row if key.startswith(modality)]
    named = [name for cell in cells for name in cell.split(";") if name != "n/a"]
    return [name for name in named if name not in refused]


@pytest.mark.parametrize("name", gallery.REFUSED)
def test_a_picture_that_cannot_be_used_is_one_line_here_and_in_the_report(
    done: Done, name: str
) -> None:
    odd = gallery.REFUSED[name]
    for text in (done.said, (done.run / "report.html").read_text()):
        (line,) = (one for one in text.splitlines() if f"{name}{odd.ending}" in one)
        assert f"left out: {done.beside[name]} photo: " in line
        assert str(odd.words) in line


def test_a_picture_that_cannot_be_used_costs_its_item_alone(done: Done) -> None:
    cases = {
        row["case_id"]: row["owned"] for row in table.read(done.run / "cases.tsv", table.CASES)
    }
    expected = {
        row["case_id"]: "photo" if row["scope_1"] == "n/a" else "photo+scope"
        for row in gallery.read_table(done.root)
        if row["case_id"] != LOST
    }
    assert cases == expected
    assert f"left out: {LOST}: nothing of it can be read; left out" in done.said


@pytest.mark.parametrize("modality", ["photo", "scope"])
def test_deep_opaque_and_palette_pictures_are_read_as_the_others(done: Done, modality: str) -> None:
    did = json.loads((done.run / "preparation.json").read_text())[modality]
    assert sum(did.values()) == len(items(done.root, modality))


def test_the_chain_names_every_picture_that_was_read_by_its_digest(done: Done) -> None:
    stated = json.loads((done.run / "chain.json").read_text())["links"][0]["inputs"]
    files = [*items(done.root, "photo"), *items(done.root, "scope"), "cases.tsv"]
    expected = {
        f"data: {done.root / name}": hashlib.sha256((done.root / name).read_bytes()).hexdigest()
        for name in files
    }
    assert {key: known for key, known in stated.items() if key.startswith("data: ")} == expected


@pytest.mark.parametrize("method", METHODS)
def test_every_method_scores_every_pattern_of_pictures(done: Done, method: str) -> None:
    rows = [
        row
        for row in json.loads((done.run / "metrics.json").read_text())["rows"]
        if (row["table"], row["metric"], row["method"]) == ("forced", "auroc", method)
    ]
    assert {row["pattern"]: row["n"] for row in rows} == {"photo": 12, "scope": 9, "photo+scope": 9}
    assert method in (done.run / "report.html").read_text()


@pytest.mark.parametrize("method", METHODS)
def test_the_class_is_learned_from_pictures(done: Done, method: str) -> None:
    rows = json.loads((done.run / "metrics.json").read_text())["rows"]
    (auroc,) = (
        row["value"]
        for row in rows
        if (row["table"], row["metric"], row["method"], row["pattern"])
        == ("forced", "auroc", method, "photo+scope")
    )
    assert auroc > 0.9


def test_the_package_predicts_the_test_cases_to_the_bit_and_refuses_the_others(
    done: Done, attempt: Attempt, tmp_path: Path
) -> None:
    ran = attempt("predict", done.run / "model", done.root, "--out", "out")
    assert ran.code == 0, ran.err
    assert ran.out.startswith("12 predicted (0 from a part of their files), 39 refused as known")
    again = table.read(tmp_path / "place" / "out" / "predictions.tsv", table.PREDICTIONS)
    before = {
        (row["case_id"], row["pattern"]): (row["logit_CN"], row["logit_AD"], row["p_AD"])
        for row in table.read(done.run / "predictions.tsv", table.PREDICTIONS)
        if (row["method"], row["protocol"]) == (METHODS[0], "every-pattern")
    }
    assert len(again) == 12
    for row in again:
        logits = (row["logit_CN"], row["logit_AD"], row["p_AD"])
        assert logits == before[row["case_id"], row["pattern"]]


def test_new_cases_are_predicted_from_what_can_be_read_of_them(
    done: Done, attempt: Attempt, tmp_path: Path
) -> None:
    root = tmp_path / "new"
    beside = {name: ODD[name] for name in ("truncated", "grey", "deep")}
    gallery.write_cohort(root, prefix="new", parts=("n/a",) * 6, beside=beside)
    rows = gallery.read_table(root)
    gallery.write_table(root, [{k: v for k, v in row.items() if k != "dx"} for row in rows])
    Image.fromarray(np.eye(30, dtype=np.uint8)).save(root / rows[4]["scope_1"])
    ran = attempt("predict", done.run / "model", root, "--out", "out")
    assert ran.code == 0, ran.err
    assert ran.out.startswith("6 predicted (3 from a part of their files), 0 refused")
    out = tmp_path / "place" / "out"
    patterns = {
        row["case_id"]: row["pattern"]
        for row in table.read(out / "predictions.tsv", table.PREDICTIONS)
    }
    assert patterns == {
        gallery.name_of("new", place): "photo" if place in (3, 4) else "photo+scope"
        for place in range(6)
    }
    reasons = (out / "quarantine.tsv").read_text().splitlines()[2:]
    assert [line.split("\t")[:2] for line in reasons] == [
        ["new-00", "photo"],
        ["new-01", "photo"],
        ["new-04", "scope"],
    ]
    assert "truncated" in reasons[0]
    assert "has 1 channels" in reasons[1]
    assert "is (1, 30, 30) after preparation, the model takes (1, 32, 32)" in reasons[2]


def test_check_reads_every_picture_and_names_what_cannot_be_read(
    done: Done, attempt_in: Attempt
) -> None:
    ran = attempt_in(done.place, "check", done.root, "--cohort", "gallery")
    assert ran.code == 8
    faults = [line for line in ran.out.splitlines() if line.startswith("fault: ")]
    files = [name for name, one in gallery.REFUSED.items() if not one.by_chain]
    for name in files:
        (line,) = (one for one in faults if f"{name}{ODD[name].ending}" in one)
        assert line.startswith(f"fault: {done.beside[name]} photo: ")
        assert str(ODD[name].words) in line
    assert len(faults) == len(files) + 2  # the lost case and its file
    assert "photo: 51 present, 0 never acquired, 1 unreadable" in ran.out
    assert "scope: 39 present, 13 never acquired, 0 unreadable" in ran.out


def test_check_of_a_sound_cohort_and_of_its_study_is_exit_0(
    attempt_in: Attempt, tmp_path: Path
) -> None:
    gallery.write_workspace(tmp_path)
    gallery.write_cohort(tmp_path / "data")
    for what in (["data", "--cohort", "gallery"], ["gallery", "--set", "cohort.root=data"]):
        ran = attempt_in(tmp_path, "check", *what)
        assert ran.code == 0, ran.out
        assert "gallery: 52 cases of 52 subjects" in ran.out
        assert "scope: 39 present, 13 never acquired, 0 unreadable" in ran.out


def test_pictures_too_small_for_a_backbone_are_a_fault_and_nothing_is_trained(
    attempt_in: Attempt, tmp_path: Path
) -> None:
    gallery.write_workspace(tmp_path)
    gallery.write_cohort(tmp_path / "data")
    chain = tmp_path / "transforms" / "small-photo.yaml"
    chain.write_text(chain.read_text().replace("32", "16"))
    scope = tmp_path / "transforms" / "small-scope.yaml"
    scope.write_text(f"{scope.read_text()}  - {{kind: shorter-side, pixels: 16}}\n")
    methods = "methods=[{kind: late-sum, backbone: {kind: densenet}}]"
    settings = ["--set", "cohort.root=data", "--set", methods]
    ran = attempt_in(tmp_path, "check", "gallery", *settings)
    assert ran.code == 8
    (fault,) = (line for line in ran.out.splitlines() if line.startswith("fault: "))
    assert "methods.0: late-sum: backbone densenet needs 29" in fault
    assert "photo has 16 x 16" in fault
    chain.write_text(chain.read_text().replace("16", "32"))
    ran = attempt_in(tmp_path, "run", "gallery", *settings, "--jobs", "1", "--out", "run")
    assert ran.code == 2, ran.err
    (complaint,) = ran.complaints
    assert "late-sum: backbone densenet needs 29" in complaint
    assert "scope has 16 x 16" in complaint
    assert not (tmp_path / "run").exists()


def test_a_chain_for_another_kind_of_item_is_a_fault(attempt_in: Attempt, tmp_path: Path) -> None:
    gallery.write_workspace(tmp_path)
    gallery.write_cohort(tmp_path / "data")
    settings = ["--set", "cohort.root=data", "--set", "transforms.photo=volume"]
    ran = attempt_in(tmp_path, "check", "gallery", *settings)
    assert ran.code == 8
    told = "transforms.photo: the chain volume is for items of kind volume, not image; name another"
    assert told in ran.out


def test_starting_weights_that_are_not_there_are_a_fault_of_the_study(
    attempt_in: Attempt, tmp_path: Path
) -> None:
    gallery.write_workspace(tmp_path)
    gallery.write_cohort(tmp_path / "data")
    methods = "methods=[{kind: late-sum, backbone: {kind: resnet, weights: nowhere.pt}}]"
    settings = ["--set", "cohort.root=data", "--set", methods]
    ran = attempt_in(tmp_path, "check", "gallery", *settings)
    assert ran.code == 8
    assert "fault: study gallery: methods.0: nowhere.pt: is not there; fetch it" in ran.out
    (tmp_path / "nowhere.pt").touch()
    assert attempt_in(tmp_path, "check", "gallery", *settings).code == 0


@pytest.mark.shared
def test_real_tissue_is_a_cohort_of_magnifications(
    data: Path, attempt_in: Attempt, tmp_path: Path
) -> None:
    """One slide of BreaKHis at four magnifications, twice at the highest; six slides at one."""
    slides: dict[str, dict[str, list[str]]] = {}
    for path in sorted((data / "breakhis").glob("SOB_*.png")):
        slide, magnification, _ = path.stem.rsplit("-", 2)
        slides.setdefault(slide, {}).setdefault(magnification, []).append(path.name)
    columns = ("40", "100", "200", "400")
    gallery.write_table(
        tmp_path,
        [
            {"case_id": slide, **{f"x{one}": ";".join(mine.get(one, ["n/a"])) for one in columns}}
            for slide, mine in slides.items()
        ],
    )
    gallery.write_workspace(tmp_path)
    modalities = ", ".join(
        f"x{one}: {{kind: image, columns: [x{one}], separator: ';'}}" for one in columns
    )
    (tmp_path / "cohorts" / "tissue.yaml").write_text(
        f"mmmed: 1\nkind: table\ntable: {tmp_path / 'cases.tsv'}\nmodalities: {{{modalities}}}\n"
    )
    ran = attempt_in(tmp_path, "check", data / "breakhis", "--cohort", "tissue")
    assert ran.code == 0, ran.out
    assert "tissue: 7 cases of 7 subjects" in ran.out
    assert "x40: 7 present, 0 never acquired, 0 unreadable" in ran.out
    for one in columns[1:]:
        assert f"x{one}: 1 present, 6 never acquired, 0 unreadable" in ran.out
