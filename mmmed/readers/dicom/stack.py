"""Frames of one orientation as the slices of a volume: in order, evenly spaced, at right angles.

step    from one slice to the next, LPS mm
normal  row cosines x column cosines: the direction in which positions are projected
tilt    a step that leaves the normal, as of a tilted gantry
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmmed.errors import GeometryError, SeriesError
from mmmed.readers.dicom.frame import Frame
from mmmed.readers.dicom.place import normal
from mmmed.readers.dicom.remark import SCALED
from mmmed.readers.dicom.spacing import GAP_TOLERANCE, ROUNDED_MM, check_even
from mmmed.readers.dicom.split import Group

DRIFT_TOLERANCE = 0.1
"""Pixels that a whole stack may drift within its plane before it counts as tilted."""

TILT_TOLERANCE = 0.05
"""Degrees that steps may leave the normal: direction cosines are rounded. The affine keeps them."""

DEFAULT_STEP_MM = 1.0
"""The third side of the voxels of a single slice that states no thickness; no position of a voxel's
centre depends on it."""


@dataclass(frozen=True)
class Stack:
    """Frames in the order of their positions, each one step from the last.

    Attributes:
        frames: the slices.
        affine: (4, 4) float64, index of (slice, row, column) to RAS mm.
        shift: rows and columns by which each slice lies off the last, where a tilt is undone.
        notes: what was declared or found.
    """

    frames: tuple[Frame, ...]
    affine: np.ndarray
    shift: tuple[int, int]
    notes: tuple[str, ...]


def check_group(group: Group, *, alone: bool, blamed: str = "") -> None:
    """A group can be one stack.

    Args:
        group: of a series.
        alone: whether it is the only one.
        blamed: why slices are missing, where that is known.

    Raises:
        SeriesError: places repeat, slices that siblings have are missing, one slice stands alone
            among stacks of other orientations, or slices are on different scales.
    """
    first = group.frames[0]
    if group.repeated:
        raise SeriesError(
            f"{group.repeated} positions hold several of the {len(group.frames)} slices and "
            f"nothing tells them apart (first {first.uid}); leave out what does not belong"
        )
    if group.lacking:
        raise SeriesError(
            f"{group.lacking} slices are missing that its siblings have (of "
            f"{len(group.frames) + group.lacking}; first {first.uid}); "
            f"{blamed or 'copy the series again'}"
        )
    if len(group.frames) == 1 and not alone and group.siblings == 1:
        raise SeriesError(
            f"one slice alone in its orientation, size and spacing ({first.uid}) is no volume"
        )
    _check_scale(group.frames)


def _check_scale(frames: Sequence[Frame]) -> None:
    """All slices state a rescale, or none does; and so it is with Philips' own scale.

    Raises:
        SeriesError: some do.
    """
    for what, lacking in (
        ("RescaleSlope (0028,1053)", [one for one in frames if not one.rescaled]),
        ("Philips' scale (2005,100E)", [one for one in frames if SCALED not in one.notes]),
    ):
        if 0 < len(lacking) < len(frames):
            raise SeriesError(
                f"{len(lacking)} of {len(frames)} slices do not state {what} as the others do "
                f"(first {lacking[0].uid}), so that their values do not compare; export it again"
            )


def stacked(frames: Sequence[Frame], *, siblings: int = 1) -> Stack:
    """Frames at different places as one stack.

    Args:
        frames: of one grid and orientation.
        siblings: stacks of the series with the same places, this one counted.

    Raises:
        GeometryError: gaps are uneven or cannot be checked, or the stack is tilted.
    """
    first = frames[0]
    up = normal(first)
    heights = np.array([frame.position for frame in frames]) @ up
    ordered = [frames[place] for place in np.argsort(heights, kind="stable")]
    step, notes = _step(ordered, up, siblings=siblings)
    down = np.array(first.along_column) * first.spacing[0]
    right = np.array(first.along_row) * first.spacing[1]
    shift = _tilt(ordered, step, up)
    corner = np.array(ordered[0].position)
    if shift != (0, 0):
        step = float(step @ up) * up
        before = [max(0, -one) * (len(ordered) - 1) for one in shift]
        corner = corner - before[0] * down - before[1] * right
        notes += (
            f"gantry tilt undone by whole pixels: {shift[0]} rows, {shift[1]} columns a slice",
        )
    affine = np.eye(4)
    affine[:3] = np.stack([step, down, right, corner], axis=1)
    affine[:2] *= -1
    return Stack(frames=tuple(ordered), affine=affine, shift=shift, notes=notes)


def _step(
    frames: Sequence[Frame], up: np.ndarray, *, siblings: int
) -> tuple[np.ndarray, tuple[str, ...]]:
    """From one slice to the next, and what is to be said about it."""
    if len(frames) == 1:
        return _single(frames[0], up)
    positions = np.array([frame.position for frame in frames])
    step = (positions[-1] - positions[0]) / (len(frames) - 1)
    check_even(frames, up)
    gap = float(step @ up)
    _check_all_numbers(frames, gap)
    return step, (*_pair(frames, gap, siblings=siblings), *_contrary(frames, gap))


def _contrary(frames: Sequence[Frame], gap: float) -> tuple[str, ...]:
    """What positions say against the stated spacing; positions count."""
    stated = frames[0].gap
    if not stated or abs(gap - stated) <= max(GAP_TOLERANCE * gap, ROUNDED_MM):
        return ()
    return (f"slices are {gap:.4g} mm apart, not {stated:g} mm as SpacingBetweenSlices states",)


def _pair(frames: Sequence[Frame], gap: float, *, siblings: int) -> tuple[str, ...]:
    """What speaks for the only gap of two slices; nothing is asked of more slices.

    Raises:
        GeometryError: nothing does.
    """
    if len(frames) > 2:
        return ()
    stated = [one for one in (frames[0].gap, frames[0].thickness) if one]
    if any(abs(gap - one) <= GAP_TOLERANCE * one for one in stated):
        return ("two slices; their gap is as stated",)
    if siblings > 1 and not stated:
        return (f"two slices; their gap is that of all {siblings} stacks",)
    said = " and ".join(f"{one:g} mm" for one in stated) or "nothing"
    raise GeometryError(
        f"two slices, {gap:.4g} mm apart: {said} is stated as their spacing or thickness, so "
        f"slices may be missing between {frames[0].uid} and {frames[1].uid}"
    )


def _single(frame: Frame, normal: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    thickness = frame.thickness or frame.gap
    if thickness:
        return normal * thickness, (f"one slice, {thickness:g} mm thick as stated",)
    note = f"one slice; its thickness is not stated, {DEFAULT_STEP_MM:g} mm stands for it"
    return normal * DEFAULT_STEP_MM, (note,)


def _check_all_numbers(frames: Sequence[Frame], step: float) -> None:
    """Not every second slice is missing, as spacing stated and numbers together would tell.

    Raises:
        GeometryError: the step is a multiple of the stated spacing, and numbers are as far apart.
    """
    stated = frames[0].gap
    numbers = [frame.number for frame in frames]
    if not stated or None in numbers or not math.isfinite(step / stated):
        return
    times = round(step / stated)
    apart = set(np.abs(np.diff(np.array(numbers, dtype=np.int64))).tolist())
    if times > 1 and abs(step - times * stated) <= GAP_TOLERANCE * stated and apart == {times}:
        raise GeometryError(
            f"{len(frames)} slices are {step:.4g} mm apart where {stated:g} mm is stated, and "
            f"their numbers {times} apart: the slices between are missing; copy the series again"
        )


def _tilt(frames: Sequence[Frame], step: np.ndarray, up: np.ndarray) -> tuple[int, int]:
    """Whole rows and columns by which each slice is shifted against the last.

    Raises:
        GeometryError: the stack is tilted, and not by whole pixels.
    """
    first = frames[0]
    aside = [
        float(step @ np.array(first.along_column)) / first.spacing[0],
        float(step @ np.array(first.along_row)) / first.spacing[1],
    ]
    drift = max(map(abs, aside)) * (len(frames) - 1)
    cosine = float(step @ up) / float(np.linalg.norm(step))
    angle = float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
    if drift <= DRIFT_TOLERANCE or angle <= TILT_TOLERANCE:
        return 0, 0
    rest = max(abs(one - round(one)) for one in aside) * (len(frames) - 1)
    if rest <= DRIFT_TOLERANCE:
        return round(aside[0]), round(aside[1])
    raise GeometryError(
        f"{len(frames)} slices are tilted by {angle:.2f} degrees (gantry tilt; first "
        f"{first.uid}): each is shifted by {aside[0]:.4g} rows and {aside[1]:.4g} columns, no "
        "whole numbers, so that no resampling is exact; correct the tilt first"
    )
