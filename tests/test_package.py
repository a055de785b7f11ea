"""What a newcomer meets: a light import, true public names, YAML and Python each in their place."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import mmmed
from mmmed.library import FOLDERS

ROOT = Path(__file__).resolve().parent.parent
DRAWERS = {"utils", "util", "helpers", "helper", "manager", "handler", "wrapper", "misc", "common"}


def test_importing_mmmed_imports_nothing_heavy() -> None:
    code = "import mmmed, sys; print(*(n for n in sys.modules if '.' not in n))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout.split()
    assert not {"torch", "pandas", "numpy", "pydantic", "yaml", "scipy", "mlflow"} & set(loaded)


def test_all_names_what_is_public_in_order() -> None:
    public = {
        name
        for name, value in vars(mmmed).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    }
    assert public | {"__version__"} == set(mmmed.__all__)
    assert mmmed.__all__ == sorted(mmmed.__all__)
    assert len(mmmed.__all__) <= 15


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_yaml_folder_says_so_and_holds_no_python(folder: str) -> None:
    files = [path for path in (ROOT / folder).rglob("*") if path.is_file()]
    assert {path.suffix for path in files} <= {".yaml", ".md"}
    first = (ROOT / folder / "README.md").read_text().splitlines()[0]
    assert first == f"YAML only: *what*. The code that reads it is `mmmed/{folder}/`"


def test_the_package_holds_no_yaml() -> None:
    assert list((ROOT / "mmmed").rglob("*.y*ml")) == []


def test_no_module_is_a_drawer_for_what_has_no_name() -> None:
    modules = (ROOT / "mmmed").rglob("*.py")
    assert [path for path in modules if DRAWERS & set(path.stem.split("_"))] == []
