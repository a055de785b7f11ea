"""The frames of a series, dealt into stacks.

repeated   a place with several frames: several echoes, phases, times, or duplicates

Frames of one grid and orientation make one stack unless places repeat. Where they do, the first
dimension that explains the repetition splits them: one whose values all occur at one place. So what
differs by chance from slice to slice, as acquisition times do, splits nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from mmmed.errors import SeriesError
from mmmed.readers.dicom.dimension import (
    DIMENSIONS,
    LATERAL,
    STACK,
    Dimension,
    in_order,
    labels,
)
from mmmed.readers.dicom.frame import Frame
from mmmed.readers.dicom.order import by_number
from mmmed.readers.dicom.place import check_crowd, normal, places, repeated
from mmmed.readers.dicom.spacing import is_even

SAME_DIRECTION = 1e-3
"""Direction cosines that differ by less are one orientation, and so are mm of pixel spacing: they
are written with few digits."""

MOST_ORIENTATIONS = 1000
"""Orientations and sizes of one series that are told apart; scans that turn have some dozens."""

PLANES = ("sagittal", "coronal", "axial")
"""The planes whose normals run along the patient's x, y and z."""

LATERAL_MM = 0.1
"""Slices that lie nearer to one another within their plane are beside nothing, and so are those
nearer than a pixel."""

PARTIAL = frozenset({"station", "stack"})
"""Words of dimensions whose stacks need not cover the same places."""

APART = "acquisition"
"""The word of a dimension whose stacks need not do so where each has places that others have not:
those of a time series are the same, and one that has fewer lacks them."""


@dataclass(frozen=True)
class Group:
    """Frames that may make one stack.

    Attributes:
        label: what tells them from their siblings; '' where there are none.
        frames: in the order given.
        siblings: groups of the same grid and orientation, this one counted.
        lacking: places that siblings have and this group has not, though it should.
        fewer: places that siblings have and this group has not, as it need not.
        repeated: places with several frames that nothing tells apart.
    """

    label: str
    frames: tuple[Frame, ...]
    siblings: int
    lacking: int
    fewer: int
    repeated: int


def split(frames: Sequence[Frame]) -> tuple[Group, ...]:
    """The groups of a series, those of one orientation together.

    Raises:
        SeriesError: too many orientations or sizes, or slices that may be thin or at one place.
    """
    orientations = _by_orientation(frames)
    for one in orientations:
        check_crowd(one)
    names = _planes(orientations) if len(orientations) > 1 else [""]
    return tuple(
        group
        for name, one in zip(names, orientations, strict=True)
        for group in _siblings(name, one)
    )


def _by_orientation(frames: Sequence[Frame]) -> list[list[Frame]]:
    """Frames of one grid, orientation and frame of reference together."""
    found: list[list[Frame]] = []
    for frame in frames:
        home = next((group for group in reversed(found) if _alike(group[0], frame)), None)
        if home is None and len(found) == MOST_ORIENTATIONS:
            raise SeriesError(
                f"more than {MOST_ORIENTATIONS} orientations and sizes among {len(frames)} slices "
                f"(first {frames[0].uid}); these are no stacks"
            )
        if home is None:
            found.append([frame])
        else:
            home.append(frame)
    return found


def _alike(one: Frame, other: Frame) -> bool:
    return (
        (one.rows, one.columns) == (other.rows, other.columns)
        and (one.reference == other.reference or "" in (one.reference, other.reference))
        and _near(one.spacing, other.spacing)
        and _near(one.along_row, other.along_row)
        and _near(one.along_column, other.along_column)
    )


def _near(one: Sequence[float], other: Sequence[float]) -> bool:
    return all(abs(a - b) < SAME_DIRECTION for a, b in zip(one, other, strict=True))


def _planes(orientations: Sequence[Sequence[Frame]]) -> list[str]:
    """What orientations are called: by their plane, numbered where several share one."""
    planes = [PLANES[int(np.argmax(np.abs(normal(group[0]))))] for group in orientations]
    counts, seen = Counter(planes), Counter[str]()
    names = []
    for plane in planes:
        seen[plane] += 1
        names.append(f"{plane} {seen[plane]}" if counts[plane] > 1 else plane)
    return names


def _siblings(name: str, frames: Sequence[Frame]) -> list[Group]:
    """The groups of one orientation."""
    leaves = _leaves(frames, (name,) if name else (), partial=False)
    counts = [len(set(places(leaf.frames))) for leaf in leaves]
    whole = max(counts)
    return [
        Group(
            label=" ".join(leaf.words),
            frames=tuple(leaf.frames),
            siblings=len(leaves),
            lacking=0 if leaf.partial else whole - count,
            fewer=whole - count if leaf.partial else 0,
            repeated=repeated(leaf.frames),
        )
        for leaf, count in zip(leaves, counts, strict=True)
    ]


@dataclass(frozen=True)
class _Leaf:
    """Frames that no dimension splits further."""

    words: tuple[str, ...]
    frames: Sequence[Frame]
    partial: bool


def _leaves(frames: Sequence[Frame], words: tuple[str, ...], *, partial: bool) -> list[_Leaf]:
    place = places(frames)
    if max(Counter(place).values()) == 1:
        return _slabs(frames, words, partial=partial)
    for dimension in DIMENSIONS:
        values = _values(dimension, frames)
        if _explains(values, place):
            order = in_order(values)
            called = labels(dimension, order)
            partial = partial or _need_not_meet(dimension, values, place)
            parts: dict[str, list[Frame]] = {value: [] for value in order}
            for frame, value in zip(frames, values, strict=True):
                parts[value].append(frame)
            return [
                leaf
                for value, own in parts.items()
                for leaf in _leaves(own, (*words, called[value]), partial=partial)
            ]
    dealt = by_number(frames, place.tolist())
    if not dealt:
        return _by_file(frames, words) or [_Leaf(words, frames, partial)]
    return [
        _Leaf((*words, f"frame {rank}"), own, partial) for rank, own in enumerate(dealt, start=1)
    ]


def _slabs(frames: Sequence[Frame], words: tuple[str, ...], *, partial: bool) -> list[_Leaf]:
    """Stacks of one orientation that lie behind one another; one where the file names no several.

    Where steps are even over all of them, or their slices alternate, they are parts of one.
    """
    up = normal(frames[0])
    ordered = sorted(frames, key=lambda frame: float(np.dot(frame.position, up)))
    runs = [list(run) for _, run in groupby(ordered, key=lambda one: one.dimensions.get(STACK, ""))]
    names = {run[0].dimensions.get(STACK, "") for run in runs}
    whole = len(runs) == 1 or len(names) < len(runs) or min(map(len, runs)) < 2
    if len(frames) == 1 or is_even(ordered, up):
        return [_Leaf(words, frames, partial)]
    if whole:
        return _by_file(frames, words) or [_Leaf(words, frames, partial)]
    return [_Leaf((*words, f"stack {rank}"), run, True) for rank, run in enumerate(runs, start=1)]


def _by_file(frames: Sequence[Frame], words: tuple[str, ...]) -> list[_Leaf]:
    """The tiles of each file as a stack; nothing where frames are no tiles, or of one file.

    Scanners that follow a moving head give every volume a place of its own.
    """
    files: dict[Path, list[Frame]] = defaultdict(list)
    for frame in frames:
        files[frame.path].append(frame)
    if len(files) == 1 or not all(map(_is_tile, frames)):
        return []
    return [
        _Leaf((*words, f"frame {rank}"), own, True)
        for rank, own in enumerate(files.values(), start=1)
    ]


def _is_tile(frame: Frame) -> bool:
    return (frame.rows, frame.columns) != (frame.stored.rows, frame.stored.columns)


def _values(dimension: Dimension, frames: Sequence[Frame]) -> list[str]:
    if dimension.name != LATERAL:
        return [frame.dimensions.get(dimension.name, "") for frame in frames]
    first = frames[0]
    positions = np.array([frame.position for frame in frames])
    ways = zip((first.along_row, first.along_column), first.spacing[::-1], strict=True)
    lateral = [_gathered(positions @ np.array(way), max(LATERAL_MM, apart)) for way, apart in ways]
    return [f"{right:g} {down:g}" for right, down in zip(*lateral, strict=True)]


def _gathered(heights: np.ndarray, apart: float) -> list[float]:
    """For each the least, in tenths, of those that it is nearer to than `apart`, one by one."""
    order = np.argsort(heights, kind="stable")
    begins = np.diff(heights[order], prepend=-np.inf) >= apart
    found = np.empty(len(heights))
    found[order] = heights[order][begins][np.cumsum(begins) - 1]
    return [round(one, 1) + 0 for one in found.tolist()]


def _need_not_meet(dimension: Dimension, values: Sequence[str], place: np.ndarray) -> bool:
    """Whether what is told apart by a dimension need not cover the same places."""
    if dimension.word != APART:
        return dimension.word in PARTIAL
    covered: dict[str, set[int]] = defaultdict(set)
    for value, where in zip(values, place.tolist(), strict=True):
        covered[value].add(where)
    widest = max(covered.values(), key=len)
    return not all(one <= widest for one in covered.values())


def _explains(values: Sequence[str], place: np.ndarray) -> bool:
    """Whether there are several values and one place has them all."""
    distinct = set(values)
    if len(distinct) == 1:
        return False
    at: dict[int, set[str]] = defaultdict(set)
    for value, where in zip(values, place, strict=True):
        at[int(where)].add(value)
    return max(map(len, at.values())) == len(distinct)
