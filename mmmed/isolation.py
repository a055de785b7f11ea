"""Work on files that may be hostile, each piece in a process that may die.

Decoders are C code: over a damaged file one may crash, hang or ask for all memory. A piece of work
has a time limit and its process a memory limit; what it does not survive is `Lost`, and every other
piece is done as if nothing had been.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from joblib.externals.loky.process_executor import ProcessPoolExecutor, TerminatedWorkerError

T = TypeVar("T")
R = TypeVar("R")

IDLE_SECONDS = 60
"""After so long without work the processes end."""

_WAITING: dict[tuple[int, int], Any] = {}
"""Processes by their number and memory. joblib's own are left alone: it expects them as it made
them."""


@dataclass(frozen=True)
class Lost:
    """A piece of work whose process did not survive it.

    Attributes:
        code: `crash` or `time`.
        text: what happened.
    """

    code: str
    text: str


@dataclass(frozen=True)
class Limits:
    """What one piece of work may take.

    Attributes:
        seconds: from its start to its end.
        memory: bytes of address space of its process.
    """

    seconds: float
    memory: int


@dataclass(frozen=True)
class Done(Generic[R]):
    """A piece of work that came to its end."""

    value: R


def isolated(
    work: Callable[[T], R], items: Sequence[T], *, jobs: int, limits: Limits
) -> Iterator[tuple[int, Done[R] | Lost]]:
    """Every item worked on in another process, as they end: (its place, what came of it).

    Where a process dies, whatever else was running is done again, one piece at a time, so that the
    one to blame is known. An exception of `work` itself is raised here.

    Args:
        work: a function that can be sent to a process; it may run twice over the same item.
        items: what it is called with.
        jobs: processes at a time.
        limits: of each piece.
    """
    suspects: list[int] = []
    for place, outcome in _pass(work, items, list(range(len(items))), jobs, limits):
        if outcome is None:
            suspects.append(place)
        else:
            yield place, outcome
    for place in sorted(suspects):
        for _, outcome in _pass(work, items, [place], 1, limits):
            yield place, outcome or Lost("crash", "the process that read it died")


def _pass(
    work: Callable[[T], R], items: Sequence[T], places: list[int], jobs: int, limits: Limits
) -> Iterator[tuple[int, Done[R] | Lost | None]]:
    """Work on the items at some places; None for those that ran when a process died."""
    waiting = places[::-1]
    flying: dict[Future[R], tuple[int, float]] = {}
    try:
        while waiting or flying:
            while waiting and len(flying) < jobs:
                place = waiting.pop()
                future = _processes(jobs, limits.memory).submit(work, items[place])
                flying[future] = (place, time.monotonic() + limits.seconds)
            first = min(deadline for _, deadline in flying.values())
            done, _ = wait(flying, max(0.0, first - time.monotonic()), FIRST_COMPLETED)
            died = False
            for future in done:
                place, _ = flying.pop(future)
                outcome = _outcome(future)
                died = died or outcome is None
                yield place, outcome
            if died:
                _kill(jobs, limits.memory)
                yield from [(place, None) for place, _ in flying.values()]
                flying.clear()
            elif not done:
                late = [one for one, (_, deadline) in flying.items() if deadline <= first]
                _kill(jobs, limits.memory)
                for future in late:
                    place, _ = flying.pop(future)
                    yield place, Lost("time", f"took more than {limits.seconds:g} s")
                waiting += [place for place, _ in flying.values()]
                flying.clear()
    except BaseException:
        if flying:
            _kill(jobs, limits.memory)
        raise


def _outcome(future: Future[R]) -> Done[R] | None:
    try:
        return Done(future.result())
    except TerminatedWorkerError:
        return None


def _processes(jobs: int, memory: int) -> Any:
    """Processes that wait for work; they are kept, as each needs a second to start."""
    if (jobs, memory) not in _WAITING:
        _WAITING[jobs, memory] = ProcessPoolExecutor(
            jobs, timeout=IDLE_SECONDS, initializer=_confine, initargs=(memory,)
        )
    return _WAITING[jobs, memory]


def _kill(jobs: int, memory: int) -> None:
    processes = _WAITING.pop((jobs, memory), None)
    if processes is not None:
        processes.shutdown(wait=True, kill_workers=True)


def _confine(memory: int) -> None:
    """Let this process take no more than `memory` bytes, leave no core dump and say nothing."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
