"""The command starts light and ends with its documented codes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mmmed.cli.app import exit_code

HEAVY = ("torch", "monai", "lightning", "mlflow", "nibabel", "sklearn", "pandas", "matplotlib")


def imported_by(statement: str) -> set[str]:
    program = (
        "import sys\n"
        "try:\n"
        f"    {statement}\n"
        "except SystemExit:\n"
        "    pass\n"
        "print('MODULES', *sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split("MODULES", 1)[1].split())


@pytest.mark.parametrize(
    "statement",
    [
        "import mmmed",
        "from mmmed.cli.app import main; main(['--help'])",
        "from mmmed.cli.app import main; main(['train-ad', '--help'])",
        "from mmmed.cli.app import main; main(['list'])",
        "from mmmed.cli.app import main; main(['doctor'])",
    ],
)
def test_nothing_heavy_is_imported_to_look_around(statement: str) -> None:
    assert not imported_by(statement) & set(HEAVY)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from mmmed.cli.app import main; main()", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_unknown_command_is_a_usage_error() -> None:
    assert run("trian-ad").returncode == 2


def test_an_unknown_option_is_a_usage_error() -> None:
    assert run("train-ad", "--sedes", "0").returncode == 2


def test_an_unknown_study_is_one_line_with_the_nearest_name() -> None:
    done = run("show", "ad/trian")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "did you mean 'ad/train'" in done.stderr


def test_a_traceback_is_shown_only_when_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(["show", "ad/trian"]) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert exit_code(["show", "ad/trian", "--debug"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_a_path_that_is_no_text_can_be_told(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    done = run("convert", str(folder), str(tmp_path / "out"))
    assert done.returncode == 3
    assert r"caf\udce9: nothing in it is DICOM" in done.stderr


def test_version_is_printed() -> None:
    from mmmed import __version__

    assert run("--version").stdout.strip() == f"mmmed {__version__}"
