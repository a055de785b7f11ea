"""Where frames of one orientation lie along their normal.

place  a height along the normal; frames nearer than `SAME_PLACE_MM` share one, of thin slices those
       nearer than `SAME_PLACE_SHARE` of their thickness
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from mmmed.errors import SeriesError
from mmmed.readers.dicom.frame import Frame

SAME_PLACE_MM = 0.05
"""Slices of scans of people are never this near to one another; positions are rounded finer."""

SAME_PLACE_SHARE = 0.25
"""The same in slices, where these are so thin that it is less: of samples and small animals."""

THINNEST_MM = 1e-3
"""A thickness or spacing that is stated to be less is none."""


def normal(frame: Frame) -> np.ndarray:
    """The unit vector in which the places of a frame's orientation are counted."""
    found = np.cross(frame.along_row, frame.along_column)
    return np.asarray(found / np.linalg.norm(found))


def places(frames: Sequence[Frame]) -> np.ndarray:
    """For each frame the number of its place along the normal, counted from 0."""
    heights = _heights(frames)
    order = np.argsort(heights, kind="stable")
    found = np.empty(len(frames), int)
    steps = np.diff(heights[order], prepend=heights[order[:1]])
    found[order] = np.cumsum(steps > _same_place(frames))
    return found


def repeated(frames: Sequence[Frame]) -> int:
    """How many places hold several frames."""
    return sum(1 for count in Counter(places(frames).tolist()).values() if count > 1)


def check_crowd(frames: Sequence[Frame]) -> None:
    """Frames that all share a place are not a stack of slices that are thinner than stated.

    Raises:
        SeriesError: each lies a little further than the last, and they may be one.
    """
    stated = max(frame.gap or frame.thickness or 0.0 for frame in frames)
    if stated > SAME_PLACE_MM or places(frames).any():
        return
    spread = float(np.ptp(_heights(frames)))
    if spread > SAME_PLACE_MM:
        raise SeriesError(
            f"{len(frames)} slices lie within {spread:.4g} mm (first {frames[0].uid}), and "
            "SliceThickness (0018,0050) does not tell whether they are thin or at one place; "
            "correct it"
        )


def _heights(frames: Sequence[Frame]) -> np.ndarray:
    return np.asarray(np.array([frame.position for frame in frames]) @ normal(frames[0]))


def _same_place(frames: Sequence[Frame]) -> float:
    """Up to how many mm frames share a place."""
    stated = max(max(frame.thickness or 0.0, frame.gap or 0.0) for frame in frames)
    return min(SAME_PLACE_MM, SAME_PLACE_SHARE * stated) if stated > THINNEST_MM else SAME_PLACE_MM
