"""The template brain as tables ready to be warped, and where disease and age act on it.

loss           share of grey matter turned into CSF per unit of atrophy: medial temporal lobe
ventricles     outward displacement per mm of widening: bodies and atria of the lateral ventricles
hypometabolism share of tracer uptake lost per unit: precuneus, posterior cingulate, parietal and
               lateral temporal cortex
ageing         share of grey matter turned into CSF per unit of age: frontal cortex, away from the
               places of disease

Centres are MNI mm, spreads are standard deviations of Gaussians in mm.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.ndimage import binary_dilation

from mmmed.readers import template
from mmmed.readers.template import Grid

Blob = tuple[tuple[float, float, float], float, float]
"""Centre, spread, height; a centre off the middle stands for both sides."""

LOSS: tuple[Blob, ...] = (
    ((26, -18, -18), 9, 1.0),
    ((24, -4, -22), 8, 1.0),
    ((26, -34, -8), 8, 1.0),
)
HYPOMETABOLISM: tuple[Blob, ...] = (
    ((0, -50, 30), 12, 1.0),
    ((0, -64, 42), 12, 1.0),
    ((46, -62, 34), 13, 1.0),
    ((60, -40, -6), 13, 0.8),
)
AGEING: tuple[Blob, ...] = (
    ((34, 40, 24), 14, 1.0),
    ((0, 52, 10), 14, 1.0),
)
VENTRICLES: tuple[tuple[float, float, float], ...] = ((14, -2, 18), (22, -34, 16))

MARGIN_MM = 6.0
"""How far around the template's brain a warped brain may reach."""


@dataclass(frozen=True)
class Atlas:
    """The template at one voxel size.

    Attributes:
        grid: the sampling of every volume.
        support: (n,) flat indices of the voxels that a warped brain may fill.
        ventricles: (voxels, 3) displacement in voxels per mm of widening.
        t1: (voxels, 4): T1 intensity, grey matter, grey matter that disease may take, grey matter
            that age may take.
        tissue: (voxels, 5): grey matter, white matter, CSF, hypometabolism, ageing.
        contrast: T1 intensity of grey matter above that of CSF.
    """

    grid: Grid
    support: np.ndarray
    ventricles: np.ndarray
    t1: np.ndarray
    tissue: np.ndarray
    contrast: float


GM_ABOVE_CSF = 0.37
"""T1 of grey matter above CSF as a share of the template's 99th percentile."""


@lru_cache(maxsize=2)
def atlas(voxel_mm: float) -> Atlas:
    """The template brain at a voxel size."""
    grid = template.grid(voxel_mm)
    gm, wm, t1 = template.gm(voxel_mm), template.wm(voxel_mm), template.t1(voxel_mm)
    mask = template.brain_mask(voxel_mm)
    csf = np.clip(mask - gm - wm, 0, 1)
    ageing = blobs(AGEING, grid)
    return Atlas(
        grid=grid,
        support=np.flatnonzero(binary_dilation(mask, iterations=round(MARGIN_MM / voxel_mm))),
        ventricles=widening(grid).reshape(-1, 3) / np.float32(voxel_mm),
        t1=_table(t1, gm, blobs(LOSS, grid) * gm, ageing * gm),
        tissue=_table(gm, wm, csf, blobs(HYPOMETABOLISM, grid), ageing),
        contrast=GM_ABOVE_CSF * float(np.percentile(t1[mask], 99)),
    )


def blobs(places: tuple[Blob, ...], grid: Grid) -> np.ndarray:
    """The highest of the Gaussians at every voxel, both sides, (i, j, k) float32."""
    centres = grid.centres
    highest = np.zeros(grid.shape, dtype=np.float32)
    for centre, spread_mm, height in places:
        for middle in _sides(centre):
            distance = ((centres - np.array(middle, dtype=np.float32)) ** 2).sum(axis=-1)
            np.maximum(highest, height * np.exp(-distance / (2 * spread_mm**2)), out=highest)
    return highest


def widening(grid: Grid) -> np.ndarray:
    """Displacement away from the ventricles per mm of widening, (i, j, k, 3) float32."""
    centres = grid.centres
    total = np.zeros_like(centres)
    for centre in VENTRICLES:
        for middle in _sides(centre):
            away = centres - np.array(middle, dtype=np.float32)
            distance = np.linalg.norm(away, axis=-1, keepdims=True)
            profile = np.exp(-(((distance - 9) / 11) ** 2)) / (distance + 4)
            total += away * profile
    return total


def _sides(centre: tuple[float, float, float]) -> list[tuple[float, float, float]]:
    x, y, z = centre
    return [centre, (-x, y, z)] if x else [centre]


def _table(*volumes: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(
        np.stack([volume.reshape(-1) for volume in volumes], axis=1), dtype=np.float32
    )
