"""What stops a conversion costs nothing that was done: kills, full disks, inputs that change."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from study import slice_of, write, write_series

from mmmed.conversion.folder import convert_folder
from mmmed.errors import NothingReadable, RunError
from mmmed.record import atomic

PROGRAM = """
import sys
from pathlib import Path
from mmmed.conversion.folder import convert_folder
convert_folder(Path(sys.argv[1]), Path(sys.argv[2]), jobs=2)
"""


def content(out: Path) -> dict[str, bytes]:
    """Every file of an output but the notes of the program."""
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and ".mmmed-convert" not in path.parts
    }


def volumes(out: Path) -> list[Path]:
    return sorted(out.rglob("sub-*.nii.gz"))


def notes(out: Path) -> list[Path]:
    """What is noted of the series that are done."""
    return list(out.glob(".mmmed-convert/[!.]*.json"))


def many(folder: Path, count: int) -> Path:
    for number in range(count):
        write_series(folder / f"{number}", 4, series=f"1.2.{number}", SeriesNumber=number)
    return folder


def test_a_run_that_was_killed_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    source = many(tmp_path / "in", 40)
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    run = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(source), str(killed)], start_new_session=True
    )
    deadline = time.monotonic() + 60
    while len(notes(killed)) < 5 and run.poll() is None and time.monotonic() < deadline:
        pass
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    done = {path: path.stat().st_mtime_ns for path in volumes(killed)}
    assert len(done) >= 5
    assert not (killed / "index.tsv").exists()
    convert_folder(source, killed)
    convert_folder(source, whole)
    assert content(killed) == content(whole)
    assert any(path.stat().st_mtime_ns == made for path, made in done.items())


def test_what_a_killed_run_left_unfinished_goes(tmp_path: Path) -> None:
    source, out = many(tmp_path / "in", 1), tmp_path / "out"
    convert_folder(source, out)
    before = content(out)
    (volumes(out)[0].parent / f"{atomic.UNFINISHED}0-T1w.nii.gz").write_bytes(b"half")
    convert_folder(source, out)
    assert content(out) == before


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file may grow beyond so many bytes, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_one_line_and_what_is_done_is_kept(tmp_path: Path) -> None:
    source, out = many(tmp_path / "in", 2), tmp_path / "out"
    convert_folder(source, out)
    before = content(out)
    write_series(source / "more", 4, series="1.2.77", SeriesNumber=77)
    with largest_file(8), pytest.raises(RunError, match="what is done is kept"):
        convert_folder(source, out)
    convert_folder(source, out)
    after = content(out)
    assert len(after) == len(before) + 2
    assert [name for name in before if name not in after] == []


@pytest.fixture
def closed() -> Iterator[Path]:
    """A folder that its owner alone may enter, in one for everybody."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o755)
    (path / "in").mkdir()
    (path / "closed").mkdir(mode=0o700)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    else:
        (path / "closed").chmod(0)
    yield path / "closed"
    if root:
        os.seteuid(0)
    (path / "closed").chmod(0o700)
    shutil.rmtree(path)


def test_an_output_that_may_not_be_written_to_is_one_line(closed: Path) -> None:
    with pytest.raises(RunError, match="cannot be written to"):
        convert_folder(closed.with_name("in"), closed / "out")


def test_an_input_that_may_not_be_entered_is_one_line(closed: Path) -> None:
    with pytest.raises(NothingReadable, match="cannot be read"):
        convert_folder(closed / "in", closed.with_name("out"))


def test_a_slice_that_was_replaced_is_read_again(tmp_path: Path) -> None:
    source, out = many(tmp_path / "in", 2), tmp_path / "out"
    convert_folder(source, out)
    before = content(out)
    changed = slice_of(2, series="1.2.0", SeriesNumber=0)
    changed.PixelData = np.full(20, 4095, "<u2").tobytes()
    write(changed, source / "0" / "IM002")
    convert_folder(source, out)
    after = content(out)
    assert after.keys() == before.keys()
    assert sum(after[name] != before[name] for name in before) == 1
