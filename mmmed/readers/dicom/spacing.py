"""Whether slices lie one step from one another, on one line.

height  where a slice lies along the normal, mm
line    where even steps from the first slice to the last would put every slice
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mmmed.errors import GeometryError
from mmmed.readers.dicom.frame import Frame

GAP_TOLERANCE = 0.05
"""How far a slice may lie from where even steps put it, in steps."""

ROUNDED_MM = 0.11
"""How far it may lie from there all the same: positions are written with one decimal at least."""

ASIDE_TOLERANCE = 0.25
"""Pixels that a slice may lie off the line within its plane: rounding again."""


def is_even(frames: Sequence[Frame], up: np.ndarray) -> bool:
    """Whether frames in the order of their heights lie one step from one another."""
    try:
        check_even(frames, up)
    except GeometryError:
        return False
    return True


def check_even(frames: Sequence[Frame], up: np.ndarray) -> None:
    """Every gap is the same, and no slice lies off the line.

    Args:
        frames: at least two, in the order of their heights.
        up: the unit normal.

    Raises:
        GeometryError: some gaps differ, or slices lie off; the message names the first or farthest.
    """
    positions = np.array([frame.position for frame in frames])
    steps = np.diff(positions @ up)
    usual = float(np.median(steps))
    allowed = min(max(GAP_TOLERANCE * usual, ROUNDED_MM), usual / 2)
    bad = np.flatnonzero(np.abs(steps - usual) > allowed)
    if bad.size:
        raise _uneven(frames, steps, bad)
    _check_line(frames, positions, up, allowed=allowed)


def _uneven(frames: Sequence[Frame], steps: np.ndarray, bad: np.ndarray) -> GeometryError:
    place, usual = int(bad[0]), float(np.median(steps))
    lost = round(float(steps[place]) / usual) - 1
    likely = f"about {lost} missing" if lost > 0 else "slices crowd"
    return GeometryError(
        f"{len(bad)} of {len(steps)} gaps differ from the usual {usual:.4g} mm, the first of "
        f"{steps[place]:.4g} mm ({likely}) between {frames[place].uid} and "
        f"{frames[place + 1].uid}; find the missing slices"
    )


def _check_line(
    frames: Sequence[Frame], positions: np.ndarray, up: np.ndarray, *, allowed: float
) -> None:
    """No slice lies off the line: gaps that grow slowly, or a slice that is shifted in its plane.

    Raises:
        GeometryError: some do.
    """
    first = frames[0]
    line = np.linspace(positions[0], positions[-1], len(frames))
    within = np.stack([first.along_column, first.along_row])
    aside = np.abs((positions - line) @ within.T)  # (slice, 2)
    limits = np.maximum(ASIDE_TOLERANCE * np.array(first.spacing), ROUNDED_MM)
    above = np.abs((positions - line) @ up)
    bad = np.flatnonzero((aside > limits).any(axis=1) | (above > allowed))
    if not bad.size:
        return
    worst, off = _farthest(positions)
    raise GeometryError(
        f"{len(frames)} slices do not lie on one line of even steps: {frames[worst].uid} is "
        f"{off:.4g} mm off; check their ImagePositionPatient (0020,0032)"
    )


def _farthest(positions: np.ndarray) -> tuple[int, float]:
    """The slice farthest from the line of most slices, and how far that is in mm."""
    usual = np.median(np.diff(positions, axis=0), axis=0)
    rest = positions - np.arange(len(positions))[:, None] * usual
    off = np.linalg.norm(rest - np.median(rest, axis=0), axis=1)
    return int(np.argmax(off)), float(off.max())
