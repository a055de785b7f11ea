"""Devices are leased: one holder each, whoever waits gets it, a killed holder gives it back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mmmed.pipelines.backends.devices import Device, leased, pool

PLACES = (Device("cuda:0", "cuda-a"), Device("cuda:1", "cuda-b"))
HOLDER = """
import sys
from pathlib import Path
from mmmed.pipelines.backends.devices import Device, leased
with leased([Device("cuda:0", "cuda-a")], Path(sys.argv[1])) as place:
    print(place.name, flush=True)
    sys.stdin.read()
"""


def test_more_jobs_than_devices_wait_and_no_two_hold_the_same(tmp_path: Path) -> None:
    holders = {place.name: threading.Lock() for place in PLACES}
    both = threading.Barrier(2)

    def job(_: int) -> str:
        with leased(PLACES, tmp_path) as place:
            assert holders[place.name].acquire(blocking=False), "held by another job"
            both.wait(timeout=30)
            holders[place.name].release()
            return place.name

    with ThreadPoolExecutor(6) as jobs:
        names = list(jobs.map(job, range(6)))
    assert sorted(names) == ["cuda:0"] * 3 + ["cuda:1"] * 3


def test_the_device_of_a_killed_holder_is_free_again(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"cuda:0\n"
    with leased(PLACES, tmp_path) as other:
        assert other.name == "cuda:1"
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    with leased(PLACES, tmp_path) as first, leased(PLACES, tmp_path) as second:
        assert {first.name, second.name} == {"cuda:0", "cuda:1"}


def test_who_waits_for_a_device_gives_up_when_its_study_is_gone(tmp_path: Path) -> None:
    class Gone(Exception):
        pass

    def alive() -> None:
        raise Gone

    with (
        leased(PLACES[:1], tmp_path),
        pytest.raises(Gone),
        leased(PLACES[:1], tmp_path, alive=alive),
    ):
        pytest.fail("two hold one device")


def test_no_device_is_leased_for_the_processor() -> None:
    assert pool("cpu") == ()
