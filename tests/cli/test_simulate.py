"""`mmmed simulate ad` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mmmed.cli.app import main


def _simulate(out: Path, *options: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["simulate", "ad", str(out), "--jobs", "1", "--voxel-mm", "16", *options])
    return int(ended.value.code or 0)


def test_a_cohort_is_written_as_asked(tmp_path: Path) -> None:
    code = _simulate(
        tmp_path / "ad",
        "--subjects=4,0,0,4",
        "--law=synergy",
        "--seed=3",
        "--missing-pet=0.5",
        "--absence=mnar",
        "--iid-test",
        "--pet-anatomy=atrophied",
        "--site-effects=0",
        "--set=law.interaction=0.5",
        "--set=population.women=0.4",
    )
    assert code == 0
    settings = json.loads((tmp_path / "ad" / "simulation.json").read_text())
    assert settings["subjects"] == {"train": 4, "validation": 0, "calibration": 0, "test": 4}
    assert settings["law"]["kind"] == "synergy"
    assert settings["law"]["interaction"] == 0.5
    assert settings["population"]["women"] == 0.4
    assert (settings["seed"], settings["site_effects"], settings["test"]) == (3, 0.0, "iid")
    assert settings["missing"]["column"] == "z_pet"
    assert len(list((tmp_path / "ad").glob("sub-*/*/pet/*.nii.gz"))) == 4


def test_one_number_of_subjects_keeps_the_proportions(tmp_path: Path) -> None:
    assert _simulate(tmp_path / "ad", "--subjects=13") == 0
    settings = json.loads((tmp_path / "ad" / "simulation.json").read_text())
    assert settings["subjects"] == {"train": 6, "validation": 1, "calibration": 2, "test": 4}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--subjects=many"], "--subjects many: write one number"),
        (["--subjects=1,2"], "--subjects 1,2: write one number"),
        (["--set=law.auroc_mir=0.9"], "unknown key; did you mean 'auroc_mri'?"),
        (["--set=law.auroc_mri=1.5"], "law.auroc_mri"),
        (["--subjects=0"], "all parts are empty"),
    ],
)
def test_what_cannot_be_simulated_is_one_line_and_exit_code_2(
    options: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _simulate(tmp_path / "ad", *options) == 2
    said = capsys.readouterr().err.strip()
    assert message in said
    assert len(said.splitlines()) == 1
    assert not (tmp_path / "ad").exists()


def test_a_hospital_is_written_with_its_truth(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "hospital"
    with pytest.raises(SystemExit) as ended:
        main(["simulate", "hospital", str(out), "--subjects=1", "--seed=2", "--voxel-mm=16"])
    assert not ended.value.code
    assert "truth.tsv" in capsys.readouterr().out
    lines = (out / "truth.tsv").read_text().splitlines()
    assert lines[0].split("\t")[:3] == ["path", "study", "series"]
    assert all((out / line.split("\t")[0]).exists() for line in lines[1:])


def test_a_hospital_is_not_written_into_a_folder_that_holds_something(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").write_text("x")
    with pytest.raises(SystemExit) as ended:
        main(["simulate", "hospital", str(tmp_path)])
    assert ended.value.code == 2
    assert "is not empty" in capsys.readouterr().err


def test_slides_of_one_subtype_leave_the_others_as_published(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """82 slides are published, 38 of them DC."""
    options = ["--set=slides.DC=20", "--set=images=[1, 1]", "--set=rows=16"]
    with pytest.raises(SystemExit) as ended:
        main(["simulate", "breakhis", str(tmp_path / "out"), "--jobs=1", *options])
    assert not ended.value.code
    assert "64 slides" in capsys.readouterr().out
    assert len(list((tmp_path / "out").rglob("SOB_B_F-*.png"))) == 40


def test_slides_are_written_as_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--set=slides={F: 2, DC: 3}", "--set=images=[1, 1]", "--set=rows=16", "--seed=4"]
    with pytest.raises(SystemExit) as ended:
        main(["simulate", "breakhis", str(tmp_path / "out"), "--jobs=1", *options])
    assert not ended.value.code
    assert "5 slides" in capsys.readouterr().out
    assert len(list((tmp_path / "out").rglob("SOB_*.png"))) == 20


def test_whole_slides_of_the_same_law_stand_beside_the_images(tmp_path: Path) -> None:
    out = tmp_path / "breakhis"
    with pytest.raises(SystemExit) as ended:
        main(
            ["simulate", "breakhis", str(out), "--jobs=1", "--slides=2", "--seed=4",
             "--set=slides={F: 1, DC: 1}", "--set=rows=16", "--set=law.x40=0.7"]
        )  # fmt: skip
    assert not ended.value.code
    settings = json.loads((out / "slides" / "simulation.json").read_text())
    assert (settings["slides"], settings["seed"], settings["law"]["x40"]) == (2, 4, 0.7)
    assert len(list((out / "slides").glob("S-*"))) == 2
    assert list(out.rglob("SOB_*.png"))
