"""Finding, listing and copying YAML: the workspace first, then what ships."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from mmmed import library
from mmmed.errors import StudyError

TEXT = "mmmed: 1\n"


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library of two cohorts and a nested study, each folder with a README."""
    root = tmp_path / "shipped"
    for name in ("cohorts/ad", "cohorts/mfeat", "transforms/brain-mri", "pipelines/ad/missing"):
        path = root / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(TEXT + f"# shipped {name}\n")
    for folder in library.FOLDERS:
        (root / folder / "README.md").write_text("YAML only: *what*.\n")
    monkeypatch.setattr(library, "library", lambda: root)
    return root


@pytest.fixture
def workspace(tmp_path: Path, shipped: Path) -> Path:
    """A workspace with a cohort of its own and one that stands before the shipped one."""
    root = tmp_path / "mine"
    for folder in library.FOLDERS:
        (root / folder).mkdir(parents=True)
    (root / "cohorts" / "ad.yaml").write_text(TEXT + "# mine\n")
    (root / "cohorts" / "own.yaml").write_text(TEXT)
    return root


def test_the_library_of_a_clone_holds_the_three_folders() -> None:
    assert all((library.library() / folder).is_dir() for folder in library.FOLDERS)


def test_a_name_is_found_in_the_workspace_first_then_in_the_library(workspace: Path) -> None:
    start = workspace / "cohorts"
    mine = library.find("cohorts", "ad", start=start)
    theirs = library.find("cohorts", "mfeat", start=start)
    assert (mine.origin, mine.path) == ("workspace", workspace / "cohorts" / "ad.yaml")
    assert theirs.origin == "library"
    assert library.find("pipelines", "ad/missing", start=start).name == "ad/missing"


def test_without_a_start_no_workspace_is_read(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workspace)
    assert library.find("cohorts", "ad", start=None).origin == "library"
    assert library.names("cohorts", start=None) == ["ad", "mfeat"]


def test_the_digest_is_that_of_the_bytes(workspace: Path) -> None:
    found = library.find("cohorts", "ad", start=workspace)
    assert found.digest == hashlib.sha256(found.path.read_bytes()).hexdigest()


def test_names_are_those_of_both_and_stand_once(workspace: Path) -> None:
    assert library.names("cohorts", start=workspace) == ["ad", "mfeat", "own"]
    assert library.names("pipelines", start=workspace) == ["ad/missing"]


def test_a_workspace_is_the_nearest_parent_with_all_three_folders(workspace: Path) -> None:
    deep = workspace / "pipelines" / "a" / "b"
    deep.mkdir(parents=True)
    assert library.workspace(deep) == workspace
    (workspace / "cohorts").rename(workspace / "other")
    assert library.workspace(deep) != workspace


def test_an_unknown_name_gets_the_nearest_known_one(workspace: Path) -> None:
    with pytest.raises(StudyError, match=r"cohorts/mfaet\.yaml: no such file; did you mean 'mfeat"):
        library.find("cohorts", "mfaet", start=workspace)


@pytest.mark.parametrize("name", ["../cohorts/ad", "x/../../secret", "..", "/etc/passwd"])
def test_a_name_does_not_lead_out_of_its_folder(name: str, workspace: Path) -> None:
    (workspace / "secret.yaml").write_text(TEXT)
    with pytest.raises(StudyError, match="leads out of the folder"):
        library.find("cohorts", name, start=workspace)


def test_a_path_that_ends_in_yaml_is_taken_as_it_is(workspace: Path, tmp_path: Path) -> None:
    path = tmp_path / "elsewhere.yaml"
    path.write_text(TEXT)
    assert library.find("cohorts", str(path), start=workspace).origin == "file"
    with pytest.raises(StudyError, match=r"none\.yaml: cannot be read \(No such file"):
        library.find("cohorts", str(tmp_path / "none.yaml"), start=workspace)


def test_a_copy_is_a_workspace_of_the_same_files(shipped: Path, tmp_path: Path) -> None:
    written = library.copy(tmp_path / "new")
    assert library.workspace(tmp_path / "new") == tmp_path / "new"
    originals = sorted(path for path in shipped.rglob("*") if path.is_file())
    assert [path.relative_to(tmp_path / "new") for path in sorted(written)] == [
        path.relative_to(shipped) for path in originals
    ]
    assert [path.read_bytes() for path in sorted(written)] == [
        path.read_bytes() for path in originals
    ]


def test_a_copy_overwrites_nothing_and_writes_nothing_then(shipped: Path, tmp_path: Path) -> None:
    mine = tmp_path / "new" / "transforms" / "brain-mri.yaml"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    with pytest.raises(StudyError, match="is there already; choose an empty directory"):
        library.copy(tmp_path / "new")
    assert mine.read_text() == "mine"
    assert [path for path in (tmp_path / "new").rglob("*") if path.is_file()] == [mine]


def test_a_copy_onto_a_file_is_one_line(shipped: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StudyError, match=r"file: cannot be written to"):
        library.copy(tmp_path / "file")
