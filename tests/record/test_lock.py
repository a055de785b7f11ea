"""Locks of the kernel: who holds them, and what a killed holder leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from mmmed.record import lock

HOLDER = """
import sys
from pathlib import Path
from mmmed.record import lock
with lock.held(Path(sys.argv[1])) as got:
    print(got, flush=True)
    sys.stdin.read()
"""


def test_one_holds_a_lock_and_the_next_waits_for_its_end(tmp_path: Path) -> None:
    path = tmp_path / "locks" / "one"
    with lock.held(path) as first, lock.held(path) as second:
        assert (first, second) == (True, False)
        assert lock.is_held(path)
    assert not lock.is_held(path)
    with lock.awaited(path) as waited:
        assert not waited


def test_those_that_share_hold_together_and_against_one(tmp_path: Path) -> None:
    path = tmp_path / "one"
    with (
        lock.held(path, shared=True) as a,
        lock.held(path, shared=True) as b,
        lock.held(path) as alone,
    ):
        assert (a, b, alone) == (True, True, False)


def test_a_killed_holder_lets_go_and_leaves_its_name(tmp_path: Path) -> None:
    path = tmp_path / "one"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"True\n"
    assert lock.is_held(path)
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    assert not lock.is_held(path)
    assert lock.is_signed(path)
    with lock.awaited(path):
        pass
    assert not lock.is_signed(path)
