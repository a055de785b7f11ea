"""Frames dealt into stacks by their numbers alone, where nothing else tells them apart.

stack by stack   the numbers of one stack come before those of the next; behind two whole ones the
                 last may be cut off, as of a scan that was stopped
place by place   the numbers of one place come before those of the next

Numbers that run in neither order tell nothing: a guess would mix stacks.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from mmmed.readers.dicom.frame import Frame

_Placed = tuple[Frame, int]


def by_number(frames: Sequence[Frame], place: Sequence[int]) -> list[list[Frame]]:
    """The stacks in the order of their numbers; none where these do not tell.

    Args:
        frames: of one orientation.
        place: the number of the place of each, counted from 0.
    """
    numbers = [frame.number for frame in frames if frame.number is not None]
    if len(set(numbers)) != len(frames):
        return []
    placed = sorted(zip(frames, place, strict=True), key=lambda one: one[0].number or 0)
    count = len(set(place))
    return _stack_by_stack(placed, count) or _place_by_place(placed, count)


def _stack_by_stack(placed: Sequence[_Placed], count: int) -> list[list[Frame]]:
    """A stack ends where a place comes again; all but a last one have every place.

    One whole stack and a few slices more are no time series: those may be there by mistake.
    """
    stacks: list[list[Frame]] = []
    seen: set[int] = set(range(count))
    for frame, where in placed:
        if where in seen:
            stacks.append([])
            seen = set()
        stacks[-1].append(frame)
        seen.add(where)
    whole = [len(stack) == count for stack in stacks]
    return stacks if all(whole) or (all(whole[:-1]) and len(stacks) > 2) else []


def _place_by_place(placed: Sequence[_Placed], count: int) -> list[list[Frame]]:
    """The n-th of every place are a stack, where places have as many."""
    runs = [[frame for frame, _ in run] for _, run in groupby(placed, key=lambda one: one[1])]
    if len(runs) != count or len(set(map(len, runs))) != 1:
        return []
    return [list(stack) for stack in zip(*runs, strict=True)]
