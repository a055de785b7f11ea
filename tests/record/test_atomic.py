"""Files are whole or absent, whatever happens while they are written."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import damage
import numpy as np
import pytest

from mmmed.errors import RunError
from mmmed.record import atomic

OLD, NEW = b"old", b"new"


def test_a_file_is_replaced_and_its_folder_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file.txt"
    atomic.write_text(path, "Größe\n")
    atomic.write_text(path, "größer\n")
    assert path.read_bytes() == "größer\n".encode()
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_exception_leaves_what_was_there_and_nothing_else(
    tmp_path: Path, error: type[BaseException]
) -> None:
    path = tmp_path / "file"
    path.write_bytes(OLD)

    def interrupted() -> None:
        with atomic.replacing(path) as temporary:
            temporary.write_bytes(NEW[:1])
            raise error

    with pytest.raises(error):
        interrupted()
    assert path.read_bytes() == OLD
    assert list(tmp_path.iterdir()) == [path]


KILLED = """
import sys
from pathlib import Path
from mmmed.errors import RunError
from mmmed.record import atomic

path = Path(sys.argv[1])
with atomic.replacing(path) as temporary:
    temporary.write_bytes(b"ne")
    print("half", flush=True)
    sys.stdin.read()
"""


def test_a_killed_process_leaves_the_old_content_and_an_unfinished_file(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(OLD)
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"half\n"
        process.kill()
        process.wait()
    assert path.read_bytes() == OLD
    (left,) = set(tmp_path.iterdir()) - {path}
    assert left.name.startswith(atomic.UNFINISHED)


ENDLESS = """
import sys
from pathlib import Path
from mmmed.errors import RunError
from mmmed.record import atomic

while True:
    for content in (b"new", b"old"):
        atomic.write_bytes(Path(sys.argv[1]), content * 1_000_000)
"""


def test_a_reader_at_any_moment_and_after_a_kill_finds_old_or_new_content(tmp_path: Path) -> None:
    path = tmp_path / "file"
    whole = {content * 1_000_000 for content in (b"old", b"new")}
    path.write_bytes(b"old" * 1_000_000)
    with subprocess.Popen([sys.executable, "-c", ENDLESS, str(path)]) as process:
        seen = set()
        while len(seen) < 2:
            seen.add(path.read_bytes())
        seen |= {path.read_bytes() for _ in range(50)}
        process.kill()
        process.wait()
    assert seen == whole
    assert path.read_bytes() in whole


def test_a_writer_that_goes_by_the_suffix_finds_it(tmp_path: Path) -> None:
    path = tmp_path / "array.npy"
    with atomic.replacing(path) as temporary:
        np.save(temporary, np.arange(3))
    assert np.load(path).tolist() == [0, 1, 2]
    with atomic.replacing(tmp_path / "sub-01_T1w.nii.gz") as temporary:
        assert temporary.name.endswith(".nii.gz")


def test_the_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        atomic.write_bytes(tmp_path / "file", NEW)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640


def test_a_name_of_the_greatest_length_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 255)
    atomic.write_bytes(path, NEW)
    assert path.read_bytes() == NEW


def test_json_is_readable_and_holds_no_nan(tmp_path: Path) -> None:
    path = tmp_path / "value.json"
    atomic.write_json(path, {"name": "Größe", "values": [0.1, None]})
    assert json.loads(path.read_text()) == {"name": "Größe", "values": [0.1, None]}
    assert "Größe" in path.read_text()
    with pytest.raises(ValueError, match="not JSON compliant"):
        atomic.write_json(path, {"value": float("nan")})
    assert json.loads(path.read_text())["values"] == [0.1, None]


def test_a_json_file_is_read_back_and_what_is_none_is_named(tmp_path: Path) -> None:
    path = tmp_path / "value.json"
    atomic.write_json(path, {"a": [1, None, "é"]})
    assert atomic.read_json(path) == {"a": [1, None, "é"]}
    path.write_text('{"a": ')
    with pytest.raises(RunError, match=r"value.json: is no JSON .*; restore it or run again"):
        atomic.read_json(path)
    with pytest.raises(RunError, match=r"none.json: cannot be read \(No such file"):
        atomic.read_json(tmp_path / "none.json")


def test_a_folder_is_made_with_its_parents(tmp_path: Path) -> None:
    assert atomic.made(tmp_path / "a" / "b", advice="-").is_dir()
    assert atomic.made(tmp_path / "a" / "b", advice="-").is_dir()


def test_a_folder_that_cannot_be_made_is_refused_with_the_advice(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match=r"file/b: cannot be written to \(.*; go elsewhere$"):
        atomic.made(tmp_path / "file" / "b", advice="go elsewhere")


@pytest.mark.skipif(not damage.permissions_bind(), reason="this user may write everywhere")
def test_a_folder_without_permission_to_write_is_refused(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(RunError, match="Permission denied"):
        atomic.made(tmp_path / "closed", advice="-")
