"""Workers of a dask scheduler: one that runs, or one started here for this study.

Calls go through dask's own client: joblib's backend for dask is not told when dask gives a job up
after its workers died, and waits for ever.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from mmmed.errors import MissingExtra, MmmedError, RunError, StudyError
from mmmed.pipelines.backends.carrier import POLL_SECONDS, Carrier
from mmmed.pipelines.backends.errand import Errand, perform

if TYPE_CHECKING:
    from distributed import Client, Future

CONNECT_SECONDS = 10
"""How long a scheduler may take to answer."""
WORKERS_SECONDS = 120
"""How long a scheduler may be without a single worker."""
_TALKATIVE = ("distributed", "tornado.application", "bokeh")


@contextmanager
def connected(address: str | None, *, parallel: int) -> Iterator[Carrier]:
    """A carrier to the workers of a scheduler.

    Args:
        address: of the scheduler; None starts one on this machine, with a process per worker.
        parallel: workers where they are started here.

    Raises:
        MissingExtra: dask is not installed.
        StudyError: the scheduler does not answer.
    """
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise MissingExtra("--backend dask", extra="dask") from error
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    if address is None:
        with (
            LocalCluster(
                n_workers=parallel,
                threads_per_worker=1,
                host="127.0.0.1",
                dashboard_address=None,
                silence_logs=logging.CRITICAL,
            ) as cluster,
            Client(cluster, set_as_default=False) as client,
            client.as_current(),
        ):
            yield partial(_carry, client)
        return
    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise StudyError(
            f"--address {address}: no dask scheduler answers; start one with `dask scheduler`, "
            "or leave --address out"
        ) from error
    with client, client.as_current():
        yield partial(_carry, client)


def _carry(client: Client, errands: Sequence[Errand], *, parallel: int) -> list[Errand]:
    from distributed import KilledWorker

    waiting, flying, lost = deque(errands), dict[Any, Errand](), list[Errand]()
    patience = _Patience(client)
    try:
        while waiting or flying:
            while waiting and len(flying) < parallel:
                one = waiting.popleft()
                flying[client.submit(perform, one, pure=False)] = one
            for future in _ended(client, flying):
                one = flying.pop(future)
                error = _error(client, future)
                if isinstance(error, KilledWorker):
                    lost.append(one)
                elif error is not None:
                    raise _told(error) from error
            patience.check()
    finally:
        if flying and client.status == "running":
            client.cancel(list(flying))
    return lost


def _ended(client: Client, flying: dict[Any, Errand]) -> list[Future]:
    from distributed import wait

    try:
        wait(list(flying), timeout=POLL_SECONDS, return_when="FIRST_COMPLETED")
    except TimeoutError:
        return []
    except CancelledError as error:
        raise _gone(client) from error
    return [future for future in flying if future.done()]


def _error(client: Client, future: Future) -> BaseException | None:
    if future.cancelled():
        raise _gone(client)
    error: BaseException | None = future.exception()
    return error


def _gone(client: Client) -> RunError:
    return RunError(f"{client.scheduler.addr}: the dask scheduler is gone; go on with --resume")


def _told(error: BaseException) -> BaseException:
    if isinstance(error, MmmedError):
        return error
    words = (str(error).splitlines() or [""])[0]
    return RunError(f"a dask worker cannot do its job ({type(error).__name__}: {words})")


class _Patience:
    """Looks now and then whether a scheduler has workers."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._met = self._looked = time.monotonic()

    def check(self) -> None:
        """Raise where there has been none for too long.

        Raises:
            RunError: as it says.
        """
        now = time.monotonic()
        if now - self._looked < CONNECT_SECONDS:
            return
        self._looked = now
        if self._client.nthreads():
            self._met = now
        elif now - self._met > WORKERS_SECONDS:
            raise RunError(
                f"{self._client.scheduler.addr}: has had no dask worker for {WORKERS_SECONDS} s; "
                "start some and go on with --resume"
            )
