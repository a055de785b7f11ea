"""What the wheel holds, and that it works far from the repository."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("cohorts", "transforms", "pipelines")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), "."],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel alone, unpacked as an installer does."""
    place = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place)
    return place


def test_only_one_package_is_installed(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"mmmed"}


def test_every_yaml_of_the_repository_is_shipped_byte_for_byte(installed: Path) -> None:
    for folder in FOLDERS:
        here = {
            path.relative_to(ROOT): path.read_bytes() for path in (ROOT / folder).rglob("*.yaml")
        }
        library = installed / "mmmed" / "_library"
        there = {
            path.relative_to(library): path.read_bytes()
            for path in (library / folder).rglob("*.yaml")
        }
        assert here
        assert here == there


def test_every_module_of_the_repository_is_shipped(installed: Path) -> None:
    here = {path.relative_to(ROOT) for path in (ROOT / "mmmed").rglob("*.py")}
    there = {path.relative_to(installed) for path in (installed / "mmmed").rglob("*.py")}
    assert here == there


@pytest.mark.parametrize(
    "name",
    [
        "mmmed/py.typed",
        "mmmed/audit/report.html.j2",
        "mmmed/audit/report.css",
        "mmmed/audit/sections/answer.html.j2",
    ],
)
def test_what_is_no_module_is_shipped_as_well(installed: Path, name: str) -> None:
    assert (installed / name).exists()


def test_the_installed_command_finds_its_library_from_an_empty_directory(
    installed: Path, tmp_path: Path
) -> None:
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    done = subprocess.run(
        [sys.executable, "-m", "mmmed.cli", "show", "ad/train"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"{installed}/mmmed/_library/cohorts/simulated-ad.yaml" in done.stdout


def test_an_installed_init_writes_the_three_folders(installed: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mmmed.cli", "init", "workspace"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "workspace").iterdir()} == set(FOLDERS)
