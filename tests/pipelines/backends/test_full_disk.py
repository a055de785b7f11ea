"""A disk that is full under a run: one line, nothing lost, the same bytes once there is room."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(params=[24, 96], ids=["before-jobs", "in-a-job"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 MB, in which so many kB are free."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this user may mount nothing")
    try:
        (place / "filler").write_bytes(bytes((64 << 20) - (request.param << 10)))
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_full_disk_is_one_line_and_room_is_enough_to_go_on(toy, alike, disk: Path) -> None:
    full = toy("--jobs=1", f"--out={disk / 'run'}")
    assert full.code == 2
    assert full.complaints == [
        f"mmmed: {disk / 'run'}: the disk is full; make room and go on with --resume"
    ]
    assert not (disk / "run" / "chain.json").exists()
    (disk / "filler").unlink()
    done = toy("--jobs=1", f"--out={disk / 'run'}", "--resume")
    assert done.code == 0, done.err
    assert alike(disk / "run")
