"""A head of even brightness: what receiver coils add is taken out before images are compared.

plane   the logarithm of a field that grows evenly in one direction. It suffices for a head that is
        seven times as bright on one side, and a head that is alike on both sides loses nothing to
        it; a parabola would take the rim of a head for part of the field, and lose its size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mmmed.transforms.registration.scan import Scan, otsu

ROUNDS = 3
"""Fits; the dark side of a head counts as air until a first field is taken out."""

FEWEST = 200
"""Bright voxels that a field is fitted to."""

EVERY = 2
"""Voxels from one that is fitted to the next, along each axis."""


@dataclass(frozen=True)
class Plane:
    """A field's logarithm: its mean over the head is 0, and beyond the head it does not grow.

    Attributes:
        slope: (3,) per mm.
        offset: at the origin.
        bounds: its lowest and highest value.
    """

    slope: np.ndarray
    offset: float
    bounds: tuple[float, float]

    def on(self, shape: tuple[int, ...], affine: np.ndarray) -> np.ndarray:
        """(i, j, k) float32, the logarithm at the voxels of a grid."""
        steps = self.slope @ affine[:3, :3]
        start = self.offset + float(self.slope @ affine[:3, 3])
        i, j, k = (step * np.arange(side) for step, side in zip(steps, shape, strict=True))
        values = (start + i)[:, None, None] + j[:, None] + k
        return np.asarray(values.clip(*self.bounds), dtype=np.float32)


FLAT = Plane(np.zeros(3), 0.0, (0.0, 0.0))


def levelled(scan: Scan) -> Scan:
    """The scan over the field of its plane."""
    field = np.exp(plane(scan).on(scan.data.shape, scan.affine))
    return Scan(scan.data / field, scan.affine)


def plane(scan: Scan) -> Plane:
    """The plane through the logarithms of a head's bright voxels.

    It is `FLAT` for a scan with fewer than `FEWEST` bright voxels or with negative values, which no
    coil measures.
    """
    if scan.data.min() < 0:
        return FLAT
    values = scan.data[::EVERY, ::EVERY, ::EVERY]
    affine = scan.affine @ np.diag([EVERY, EVERY, EVERY, 1.0])
    found = FLAT
    for _ in range(ROUNDS):
        level = values / np.exp(found.on(values.shape, affine))
        head = level > otsu(level)
        if head.sum() < FEWEST or not values[head].min() > 0:
            return FLAT
        mm = np.argwhere(head) @ affine[:3, :3].T + affine[:3, 3]
        found = _through(mm, np.log(values[head]).astype(float))
    return found


def _through(mm: np.ndarray, logarithms: np.ndarray) -> Plane:
    middle = mm.mean(axis=0)
    around = mm - middle
    slope = np.linalg.lstsq(around, logarithms - logarithms.mean(), rcond=None)[0]
    fitted = around @ slope
    return Plane(slope, -float(slope @ middle), (float(fitted.min()), float(fitted.max())))
