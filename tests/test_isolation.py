"""Work that crashes, hangs or asks for all memory costs itself alone."""

from __future__ import annotations

import pytest
from hostile import work

from mmmed.isolation import Done, Limits, Lost, isolated

LIMITS = Limits(seconds=3, memory=4 << 30)


def outcomes(*kinds: str) -> list[object]:
    found = dict(isolated(work, kinds, jobs=2, limits=LIMITS))
    return [
        one.value if isinstance(one, Done) else one.code
        for one in map(found.get, range(len(kinds)))
        if isinstance(one, Done | Lost)
    ]


def test_what_dies_costs_itself_alone() -> None:
    kinds = ("a", "crash", "b", "hang", "memory", "c")
    assert outcomes(*kinds) == ["a", "crash", "b", "time", "refused", "c"]


def test_an_exception_of_the_work_is_raised() -> None:
    with pytest.raises(ValueError, match="mine"):
        outcomes("raise")
