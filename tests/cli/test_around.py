"""The commands that look around: what there is, where it came from, what this machine has."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest
import yaml

from mmmed.cli import app, doctor
from mmmed.library import FOLDERS, library, names
from mmmed.models import METHODS

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line in an empty directory: its exit code, what it says, its complaints."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = app.exit_code(arguments)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_list_names_everything_there_is(run: Run) -> None:
    code, said, _ = run("list")
    assert code == 0
    shipped = [name for folder in FOLDERS for name in names(folder, start=None)]
    assert {*shipped, *(method.kind for method in METHODS)} <= set(said.split())


def test_list_can_be_asked_for_one_kind(run: Run) -> None:
    _, said, _ = run("list", "studies")
    assert said.split() == names("pipelines", start=None)


def test_list_methods_gives_papers_phases_and_parameters(run: Run) -> None:
    _, said, _ = run("list", "methods")
    for method in METHODS:
        assert method.paper in said
        assert f"phases: {', '.join(method.phases)}; {method.parameters:,} parameters" in said


def test_show_prints_the_study_whole_and_where_each_part_came_from(run: Run) -> None:
    code, said, _ = run("show", "ad/train", "--set", "seeds=[7]")
    assert code == 0
    values = yaml.safe_load(said)
    assert values["seeds"] == [7]
    assert values["cohort"]["simulation"]["subjects"]["train"] == 300
    assert values["transforms"]["pet"]["prepare"][0] == {
        "kind": "register",
        "to": "mni152",
        "template": "pet",
        "through": None,
    }
    heads = [line.split(":")[0] for line in said.splitlines() if line.startswith("#")]
    assert heads == [
        "# pipelines/ad/train",
        "# cohorts/simulated-ad",
        "# transforms/brain-mri",
        "# transforms/brain-pet",
        "# cohorts/dicom-series",
    ]
    assert all("library" in line for line in said.splitlines()[:4])


def test_init_makes_a_workspace_that_is_used_first(run: Run) -> None:
    assert run("init", ".")[0] == 0
    study = Path("pipelines/ad/train.yaml")
    study.write_text(study.read_text().replace("seeds: [0]", "seeds: [5]"))
    _, said, _ = run("show", "ad/train")
    assert yaml.safe_load(said)["seeds"] == [5]
    assert said.startswith("# pipelines/ad/train: workspace ")


def test_init_overwrites_nothing(run: Run) -> None:
    run("init", "here")
    code, _, complaint = run("init", "here")
    assert code == 2
    assert "is there already; choose an empty directory" in complaint


@pytest.mark.parametrize("folder", FOLDERS)
def test_schema_prints_one_kind_of_yaml(run: Run, folder: str) -> None:
    code, said, _ = run("schema", folder)
    assert code == 0
    assert json.loads(said)["$schema"].startswith("https://json-schema.org/")


def test_doctor_says_what_is_there(run: Run) -> None:
    _, said, complaints = run("doctor")
    assert f"library: {library()}" in said
    assert "workspace: none; mmmed init DIR makes one" in said
    assert "unexpected" not in complaints


def test_doctor_names_what_is_not_installed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    needs = ["numpy>=2.0", "no-such-package>=1", "ray>=2; extra == 'ray'"]
    monkeypatch.setattr(doctor.metadata, "requires", lambda _: needs)
    code, said, complaints = run("doctor")
    assert code == 8
    assert f"numpy: {metadata.version('numpy')}" in said
    assert "no-such-package is not installed; pip install mmmed brings it" in complaints
    assert "ray" not in said + complaints
