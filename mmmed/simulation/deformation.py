"""Smooth random fields and warps on the brain's grid.

control grid   a coarse lattice of values, spread trilinearly over the whole grid
points         (n, 3) float32 voxel coordinates in the template, where an output voxel looks
table          (voxels, columns) float32: several template volumes sampled together
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.sparse import csr_array

from mmmed.readers.template import Grid


@dataclass(frozen=True)
class Wobble:
    """How much heads differ in place and form, as standard deviations.

    Attributes:
        scale: relative, per axis.
        degrees: of rotation about each axis.
        shift_mm: per axis.
        elastic_mm: of every node of the elastic control grid, per axis.
    """

    scale: float = 0.02
    degrees: float = 1.5
    shift_mm: float = 1.2
    elastic_mm: float = 1.5


ELASTIC_NODES = (6, 7, 6)


def spread(control: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """A control grid (a, b, c) spread trilinearly over `shape`, float32."""
    a, b, c = (_interpolation(*pair) for pair in zip(shape, control.shape, strict=True))
    lines = np.tensordot(control, c, axes=(2, 1))  # (a, b, k)
    planes = np.tensordot(b, lines, axes=(1, 1))  # (j, a, k)
    return np.asarray(np.tensordot(a, planes, axes=(1, 1)), dtype=np.float32)  # (i, j, k)


def random_field(
    nodes: tuple[int, int, int], grid: Grid, generator: np.random.Generator
) -> np.ndarray:
    """A smooth field over the grid whose nodes are standard normal, (i, j, k) float32."""
    return spread(generator.standard_normal(nodes, dtype=np.float32), grid.shape)


def random_points(
    grid: Grid,
    support: np.ndarray,
    generator: np.random.Generator,
    *,
    enlargement: float,
    wobble: Wobble,
) -> np.ndarray:
    """Where the voxels of `support` look in the template, for one random head.

    Args:
        grid: of the template and of the output.
        support: (n,) flat indices of the voxels to fill.
        generator: of this head.
        enlargement: relative size of the head beside the random scale; 0 leaves it.
        wobble: how much heads differ.

    Returns:
        (n, 3) float32 voxel coordinates.
    """
    voxel_mm = grid.affine[0, 0]
    scale = 1 + enlargement + wobble.scale * generator.standard_normal(3)
    turn = _rotation(np.radians(wobble.degrees) * generator.standard_normal(3))
    shift = wobble.shift_mm * generator.standard_normal(3) / voxel_mm
    matrix = (turn / scale).astype(np.float32)
    middle = (np.array(grid.shape, dtype=np.float32) - 1) / 2
    here = np.stack(np.unravel_index(support, grid.shape), axis=1).astype(np.float32)
    points = (here - middle) @ matrix.T + (middle + shift).astype(np.float32)
    for axis in range(3):
        field = random_field(ELASTIC_NODES, grid, generator)
        points[:, axis] += np.float32(wobble.elastic_mm / voxel_mm) * field.reshape(-1)[support]
    return np.asarray(points)


def sampling(points: np.ndarray, shape: tuple[int, int, int]) -> csr_array:
    """Trilinear interpolation at points as a sparse matrix: `sampling(...) @ table`.

    Args:
        points: (n, 3) voxel coordinates; those outside look at the nearest edge.
        shape: of the template.

    Returns:
        (n, voxels) float32, eight weights per row.
    """
    limit = np.array(shape, dtype=np.int32) - 1
    inside = np.clip(points, 0, limit.astype(np.float32))
    corner = np.minimum(inside.astype(np.int32), limit - 1)
    far = (inside - corner).astype(np.float32)
    i, j, k = (np.stack([1 - far[:, axis], far[:, axis]], axis=1) for axis in range(3))  # (n, 2)
    weights = i[:, :, None, None] * j[:, None, :, None] * k[:, None, None, :]  # (n, 2, 2, 2)
    strides = np.array([shape[1] * shape[2], shape[2], 1], dtype=np.int32)
    steps = (np.indices((2, 2, 2)).reshape(3, 8).T @ strides).astype(np.int32)
    columns = (corner @ strides)[:, None] + steps  # (n, 8)
    rows = np.arange(0, 8 * len(points) + 1, 8, dtype=np.int32)
    return csr_array(
        (weights.reshape(-1), columns.reshape(-1), rows), shape=(len(points), math.prod(shape))
    )


@lru_cache(maxsize=64)
def _interpolation(size: int, nodes: int) -> np.ndarray:
    """(size, nodes) weights of linear interpolation; the end nodes stand on the end voxels."""
    place = np.linspace(0, nodes - 1, size)
    return np.asarray(
        np.clip(1 - np.abs(place[:, None] - np.arange(nodes)), 0, 1), dtype=np.float32
    )


def _rotation(angles: np.ndarray) -> np.ndarray:
    """The rotation by angles (radians) about the first, then the second, then the third axis."""
    matrix = np.eye(3)
    for axis, angle in enumerate(angles):
        one, two = (axis + 1) % 3, (axis + 2) % 3
        turn = np.eye(3)
        turn[one, one] = turn[two, two] = np.cos(angle)
        turn[two, one] = np.sin(angle)
        turn[one, two] = -np.sin(angle)
        matrix = turn @ matrix
    return matrix
