"""What two ranks do in the test of what they tell each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch.distributed as dist
from two_ranks import meet_anew

from mmmed.errors import DataError, MmmedError, StudyError
from mmmed.training.ranks import in_turn, joined, together, told


def talk(rank: int) -> dict[str, Any]:
    """Every way to agree, and how it ends when the second rank is gone."""
    heard: dict[str, Any] = {}

    def attempt(name: str, act: Callable[[], Any]) -> None:
        try:
            heard[name] = act()
        except MmmedError as error:
            heard[name] = f"{type(error).__name__}: {error}"

    with joined("cpu"):
        attempt("told", lambda: told(lambda: f"from {rank}"))
        attempt("fault told", lambda: told(_failing(StudyError(f"of {rank}"))))
        attempt("in turn", lambda: in_turn(lambda: rank))
        attempt("first fails", lambda: in_turn(_failing(DataError(f"no file on {rank}"))))
        attempt("second fails", lambda: in_turn(_failing(DataError("no file")) if rank else int))
        attempt("together", _broken)
    meet_anew()
    attempt("leader fails", lambda: _while_another_waits(rank))
    dist.destroy_process_group()
    meet_anew()
    with joined("cpu"):
        if rank == 0:
            attempt("gone", lambda: told(lambda: 0) or in_turn(lambda: 0))
    return heard


def _while_another_waits(rank: int) -> None:
    with joined("cpu"):
        if rank == 0:
            raise StudyError("the folder is in use")
        told(lambda: 0)


def _broken() -> None:
    with together():
        raise ValueError("out of memory\nand more")


def _failing(error: MmmedError) -> Callable[[], Any]:
    def act() -> None:
        raise error

    return act
