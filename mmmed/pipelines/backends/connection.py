"""The carrier that was asked for, ready to carry."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from mmmed.pipelines.backends import dask, loky, ray
from mmmed.pipelines.backends.carrier import Carrier
from mmmed.pipelines.backends.choice import Backend


@contextmanager
def connected(backend: Backend, *, parallel: int, threads: int, device: str) -> Iterator[Carrier]:
    """A carrier, until the block ends; a cluster that was started for it ends with it.

    Nothing but the address that was named is spoken to, and nothing listens beyond this machine.

    Args:
        backend: which.
        parallel: workers where they are started here.
        threads: torch threads of one job.
        device: where models compute.

    Raises:
        MissingExtra: its package is not installed.
        StudyError: its cluster does not answer, or lacks the device.
    """
    if backend.kind == "dask":
        with dask.connected(backend.address, parallel=parallel) as carrier:
            yield carrier
    elif backend.kind == "ray":
        with ray.connected(
            backend.address, parallel=parallel, threads=threads, device=device
        ) as carrier:
            yield carrier
    else:
        yield partial(loky.carry, threads=threads)
