"""One job per device: GPUs are leased through lock files, whoever carried the jobs here.

The lease is kept in the run folder, by machine and by the device itself, so that loky, dask, ray
and shards that meet on one machine share its devices out. No result depends on which one it was.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from mmmed.pipelines.job import Job
from mmmed.record import lock
from mmmed.training.device import kind_of


@dataclass(frozen=True)
class Device:
    """A device of this machine.

    Attributes:
        name: what torch calls it in this process: `cuda:1`.
        identity: what is the same for every process, whatever part of the devices it sees.
    """

    name: str
    identity: str


def pool(device: str) -> tuple[Device, ...]:
    """The devices among which one is leased to a job; none where it computes on the CPU.

    Args:
        device: as `mmmed.training.device` names it; `cuda` and `auto` mean all that are here.
    """
    kind = kind_of(device)
    if kind == "mps":
        return (Device("mps", "mps"),)
    if kind != "cuda":
        return ()
    chosen = device.partition(":")[2]
    numbers = [int(chosen)] if chosen else range(torch.cuda.device_count())
    return tuple(Device(f"cuda:{number}", _identity(number)) for number in numbers)


@contextmanager
def leased(
    places: Sequence[Device], run: Path, *, alive: Callable[[], None] | None = None
) -> Iterator[Device]:
    """The first device that nobody else holds, held until the block ends.

    Args:
        places: at least one.
        run: the run folder.
        alive: called now and then while all are taken; it raises to give up.
    """
    folder = run / lock.FOLDER / "devices" / platform.node()
    while True:
        for place in places:
            with lock.held(folder / place.identity) as got:
                if got:
                    yield place
                    return
        if alive is not None:
            alive()
        time.sleep(lock.POLL_SECONDS)


@contextmanager
def assigned(job: Job, run: Path, *, alive: Callable[[], None] | None = None) -> Iterator[Job]:
    """The job on a device of its own; as it is where it computes on the CPU or on several."""
    places = pool(job.work.device) if job.work.training.ranks == 1 else ()
    if not places:
        yield job
        return
    with leased(places, run, alive=alive) as place:
        yield replace(job, work=replace(job.work, device=place.name))


def _identity(number: int) -> str:
    """Of a CUDA device: a process may be shown a part of them, counted from 0 again."""
    shown = [one.strip() for one in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")]
    uuid = getattr(torch.cuda.get_device_properties(number), "uuid", None)
    named = shown[number] if number < len(shown) and shown[number] else str(number)
    return f"cuda-{uuid or named}".replace("/", "-")
