"""A head of even brightness: what receiver coils add is taken out before images are compared.

field   a plane through the logarithms of the bright voxels. It suffices for a head that is seven
        times as bright on one side, and a head that is alike on both sides loses nothing to it; a
        parabola would take the rim of a head for part of the field, and lose its size.
"""

from __future__ import annotations

import numpy as np

from mmmed.transforms.registration.scan import Scan, otsu

ROUNDS = 3
"""Fits; the dark side of a head counts as air until a first field is taken out."""

FEWEST = 200
"""Bright voxels that a field is fitted to."""

EVERY = 2
"""Voxels from one that is fitted to the next, along each axis."""


def levelled(scan: Scan) -> Scan:
    """The scan over its field, of which the mean logarithm over the head is 0.

    Beyond the head the field keeps to the values that it has there. A scan with fewer than `FEWEST`
    bright voxels or with negative values, which no coil measures, is returned as it is.
    """
    if scan.data.min() < 0:
        return scan
    terms = _terms(scan.data.shape)
    few = terms[:, ::EVERY, ::EVERY, ::EVERY]
    values = scan.data[::EVERY, ::EVERY, ::EVERY]
    level = values
    for _ in range(ROUNDS):
        head = level > otsu(level)
        if head.sum() < FEWEST or not values[head].min() > 0:
            return scan
        seen = few[:, head]
        weights = np.linalg.lstsq(seen.T, np.log(values[head]), rcond=None)[0]
        fitted = weights @ seen
        bounds = np.array([fitted.min(), fitted.max()]) - fitted.mean()
        weights[0] -= fitted.mean()
        level = values / _field(weights, few, bounds)
    return Scan(scan.data / _field(weights, terms, bounds), scan.affine)


def _field(weights: np.ndarray, terms: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    logarithm = np.tensordot(weights, terms, axes=1).clip(*bounds)
    return np.asarray(np.exp(logarithm), dtype=np.float32)


def _terms(shape: tuple[int, ...]) -> np.ndarray:
    """(4, i, j, k) float32: 1 and the coordinates in -1 to 1."""
    places = [np.linspace(-1, 1, side, dtype=np.float32) for side in shape]
    return np.stack([np.ones(shape, np.float32), *np.meshgrid(*places, indexing="ij")])
