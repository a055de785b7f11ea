"""Two processes as torchrun starts them, for tests of what ranks do."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from multiprocessing import get_context
from typing import Any

PATIENCE = 200
"""Seconds; a test that waits longer hangs."""
GROUPS = 8
"""How often the two may find each other, each time at a port of its own."""


def both(work: Callable[[int], Any]) -> list[Any]:
    """What `work` returns on each of two ranks; it is given its rank.

    Its exceptions are returned as text: the name of the class and the message.
    """
    context = get_context("spawn")
    answers = context.Queue()
    ports = free_ports()
    ranks = [context.Process(target=_rank, args=(work, one, ports, answers)) for one in (0, 1)]
    for rank in ranks:
        rank.start()
    try:
        found = dict(answers.get(timeout=PATIENCE) for _ in ranks)
    finally:
        for rank in ranks:
            rank.join(timeout=5)
            rank.kill()
    return [found[0], found[1]]


def meet_anew() -> None:
    """From here on the ranks find each other at another port."""
    os.environ["MASTER_PORT"] = _ports.pop()


_ports: list[str] = []


def _rank(work: Callable[[int], Any], number: int, ports: list[str], answers: Any) -> None:
    _ports.extend(ports)
    os.environ |= {
        "TORCHELASTIC_RUN_ID": "test",
        "RANK": str(number),
        "LOCAL_RANK": str(number),
        "WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1",
    }
    meet_anew()
    try:
        answer = work(number)
    except Exception as error:  # noqa: BLE001 - it is the answer
        answer = f"{type(error).__name__}: {error}"
    answers.put((number, answer))


def free_ports() -> list[str]:
    """Ports at which nobody listens."""
    sockets = [socket.socket() for _ in range(GROUPS)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    found = [str(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return found
