"""Work that crashes, hangs or asks for all memory costs itself alone."""

from __future__ import annotations

import ctypes
import time

import pytest

from mmmed.isolation import Done, Limits, Lost, isolated

LIMITS = Limits(seconds=3, memory=4 << 30)


def work(kind: str) -> str:
    if kind == "crash":
        ctypes.string_at(0)
    if kind == "hang":
        time.sleep(60)
    if kind == "memory":
        try:
            bytearray(8 << 30)
        except MemoryError:
            return "refused"
    if kind == "raise":
        raise ValueError("mine")
    return kind


def outcomes(*kinds: str) -> list[object]:
    found = dict(isolated(work, kinds, jobs=2, limits=LIMITS))
    return [
        one.value if isinstance(one, Done) else one.code
        for one in map(found.get, range(len(kinds)))
        if isinstance(one, Done | Lost)
    ]


@pytest.mark.filterwarnings("ignore:A worker stopped while some jobs:UserWarning")
def test_what_dies_costs_itself_alone() -> None:
    kinds = ("a", "crash", "b", "hang", "memory", "c")
    assert outcomes(*kinds) == ["a", "crash", "b", "time", "refused", "c"]


def test_an_exception_of_the_work_is_raised() -> None:
    with pytest.raises(ValueError, match="mine"):
        outcomes("raise")
