"""Workers of a ray cluster: one that runs, or one started here for this study.

Calls are tasks of ray: joblib's backend for ray keeps a pool of actors, loses all of it with one of
them, and waits for ever for actors that the cluster has no room for.
"""

from __future__ import annotations

import os
import socket
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from mmmed.errors import MissingExtra, MmmedError, RunError, StudyError
from mmmed.pipelines.backends.carrier import POLL_SECONDS, Carrier
from mmmed.pipelines.backends.errand import Errand, perform
from mmmed.pipelines.backends.lost import DEATHS
from mmmed.training.device import kind_of

CONNECT_SECONDS = 10
"""How long a cluster may take to answer."""
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS": "1",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


@contextmanager
def connected(
    address: str | None, *, parallel: int, threads: int, device: str
) -> Iterator[Carrier]:
    """A carrier to the workers of a ray cluster.

    Args:
        address: of the cluster; None starts one on this machine.
        parallel: jobs at a time where the cluster is started here.
        threads: torch threads of one job: the CPUs that it asks of the cluster.
        device: where models compute; on CUDA a job asks the cluster for a GPU.

    Raises:
        MissingExtra: ray is not installed.
        StudyError: the cluster does not answer, or has no GPU.
    """
    os.environ.update(_QUIET)  # read by ray when it is imported
    try:
        import ray
    except ImportError as error:
        raise MissingExtra("--backend ray", extra="ray") from error
    quiet = {"configure_logging": False, "log_to_driver": False}
    if address is None:
        ray.init(
            address="local",
            num_cpus=parallel * threads,
            include_dashboard=False,
            _node_ip_address="127.0.0.1",
            **quiet,
        )
    else:
        _knock(address)
        try:
            ray.init(address=address, **quiet)
        except (OSError, RuntimeError, ValueError) as error:
            raise _silent(address) from error
    try:
        yield partial(_carry, options=_needs(threads, device))
    finally:
        ray.shutdown()


def _carry(errands: Sequence[Errand], *, parallel: int, options: dict[str, Any]) -> list[Errand]:
    import ray
    from ray.exceptions import RayError, RayTaskError

    task = ray.remote(max_retries=DEATHS - 1, **options)(perform)
    waiting, flying, lost = deque(errands), dict[Any, Errand](), list[Errand]()
    while waiting or flying:
        while waiting and len(flying) < parallel:
            one = waiting.popleft()
            flying[task.remote(one)] = one
        ended, _ = ray.wait(list(flying), num_returns=1, timeout=POLL_SECONDS)
        for reference in ended:
            one = flying.pop(reference)
            try:
                ray.get(reference)
            except RayTaskError as error:
                raise _told(error) from error
            except RayError:
                lost.append(one)
    return lost


def _needs(threads: int, device: str) -> dict[str, Any]:
    """What a job asks of the cluster; no more CPUs than its largest machine has."""
    import ray

    cpus = [node["Resources"].get("CPU", 0) for node in ray.nodes() if node["Alive"]]
    options: dict[str, Any] = {"num_cpus": min(threads, max(cpus, default=threads))}
    if kind_of(device) == "cuda":
        if not ray.cluster_resources().get("GPU"):
            raise StudyError("--backend ray: the cluster has no GPU; give --device cpu")
        options["num_gpus"] = 1
    return options


def _knock(address: str) -> None:
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise _silent(address) from error


def _silent(address: str) -> StudyError:
    return StudyError(
        f"--address {address}: no ray cluster answers; start one with `ray start --head`, "
        "or leave --address out"
    )


def _told(error: Any) -> BaseException:
    cause: BaseException = error.cause
    if isinstance(cause, MmmedError):
        return cause
    words = (str(cause).splitlines() or [""])[0]
    return RunError(f"a ray worker cannot do its job ({type(cause).__name__}: {words})")
