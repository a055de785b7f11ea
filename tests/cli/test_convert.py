"""`mmmed convert` ends with its documented codes."""

from __future__ import annotations

from pathlib import Path

import pytest
from study import write_series

from mmmed.cli.app import exit_code


def test_a_readable_series_is_well_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_series(tmp_path / "in", 6)
    assert exit_code(["convert", str(tmp_path / "in"), str(tmp_path / "out"), "--jobs", "1"]) == 0
    assert "1 series converted to 1 volume, 0 refused, 0 files set aside" in capsys.readouterr().out


def test_what_is_all_properly_refused_is_well(tmp_path: Path) -> None:
    write_series(tmp_path / "in", 6, PixelSpacing=None)
    assert exit_code(["convert", str(tmp_path / "in"), str(tmp_path / "out"), "--jobs", "1"]) == 0


def test_nothing_readable_and_a_wrong_folder_have_their_codes(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    assert exit_code(["convert", str(tmp_path / "in"), str(tmp_path / "out")]) == 3
    assert exit_code(["convert", str(tmp_path / "no"), str(tmp_path / "out2")]) == 3
    assert exit_code(["convert", str(tmp_path / "in"), str(tmp_path / "in" / "out")]) == 2


def test_what_another_run_may_read_is_8_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file stands where the folder of the patient must go: the rest is done all the same."""
    write_series(tmp_path / "in" / "scout", 6, series="1.2.9", SeriesDescription="localizer")
    out = tmp_path / "out"
    assert exit_code(["convert", str(tmp_path / "in"), str(out), "--jobs", "1"]) == 0
    (subject,) = (out / "other").iterdir()
    (out / subject.name).write_text("")
    write_series(tmp_path / "in" / "head", 6)
    assert exit_code(["convert", str(tmp_path / "in"), str(out), "--jobs", "1"]) == 8
    said = capsys.readouterr()
    assert "1 series converted" in said.out
    assert "mmmed: 1 series could not be read this time, as index.tsv says; run again" in said.err


def test_a_salt_is_read_from_a_file_that_holds_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_series(tmp_path / "in", 2)
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "salt").write_text("a long random text")
    command = ["convert", str(tmp_path / "in"), "--jobs", "1", "--salt-file"]
    assert exit_code([*command, str(tmp_path / "salt"), str(tmp_path / "a")]) == 0
    assert exit_code([*command[:-1], str(tmp_path / "b")]) == 0
    assert {path.name for path in (tmp_path / "a").glob("sub-*")}.isdisjoint(
        path.name for path in (tmp_path / "b").glob("sub-*")
    )
    assert exit_code([*command, str(tmp_path / "empty"), str(tmp_path / "c")]) == 2
    assert exit_code([*command, str(tmp_path / "none"), str(tmp_path / "c")]) == 2
    assert "is empty; write a long random text" in capsys.readouterr().err
