"""Heads of known place: a volume moved by a known map, and how far another map is off."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import affine_transform, binary_dilation
from scipy.spatial.transform import Rotation

from mmmed.readers import template
from mmmed.transforms.raster import Raster


def planted(degrees: tuple[float, float, float], shift: tuple[float, ...], size: float):
    """(4, 4) from the template's mm to the moved head's."""
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", degrees, degrees=True).as_matrix() * size
    matrix[:3, 3] = shift
    return matrix


def moved(
    data: np.ndarray, affine: np.ndarray, matrix: np.ndarray, voxel_mm: float = 3.0
) -> Raster:
    """The head where `matrix` puts it, on an upright grid of 255 mm around it."""
    side = round(255 / voxel_mm)
    grid = np.diag([voxel_mm, voxel_mm, voxel_mm, 1.0])
    grid[:3, 3] = matrix[:3, 3] + [-127, -145, -117]
    back = np.linalg.inv(affine) @ np.linalg.inv(matrix) @ grid
    values = affine_transform(data, back[:3, :3], back[:3, 3], output_shape=(side,) * 3, order=1)
    noise = np.abs(np.random.default_rng(0).normal(0, 0.02 * data.max(), values.shape))
    return Raster((values + noise).astype(np.float32)[None], grid)


def off(found: np.ndarray, matrix: np.ndarray) -> tuple[float, float]:
    """Mean mm over the brain, and degrees, by which `found` fails to undo `matrix`."""
    left = found @ matrix
    points = template.grid(8.0).centres[template.brain_mask(8.0)].astype(float)
    shifts = points @ left[:3, :3].T + left[:3, 3] - points
    first, _, last = np.linalg.svd(left[:3, :3])
    cosine = (np.trace(first @ last) - 1) / 2
    return (
        float(np.linalg.norm(shifts, axis=1).mean()),
        float(np.degrees(np.arccos(np.clip(cosine, -1, 1)))),
    )


def with_skull() -> tuple[np.ndarray, np.ndarray]:
    """The T1 template in a skull with scalp and neck, and its affine."""
    brain = np.pad(template.brain_mask(2.0), 20)
    affine = template.grid(2.0).affine.copy()
    affine[:3, 3] -= 40
    fluid, bone, scalp = (binary_dilation(brain, iterations=count) for count in (2, 5, 8))
    scalp[40:80, 30:80, :25] = True
    t1 = np.pad(np.asarray(template.t1(2.0)), 20)
    head = np.where(brain, t1, np.where(fluid, 0.15, np.where(bone, 0.05, np.where(scalp, 0.9, 0))))
    return head.astype(np.float32), affine


def ct() -> tuple[np.ndarray, np.ndarray]:
    """The same head in Hounsfield units: bright bone, grey matter above white."""
    head, affine = with_skull()
    brain = np.pad(template.brain_mask(2.0), 20)
    fluid, bone = (binary_dilation(brain, iterations=count) for count in (2, 5))
    tissue = np.where(head > 0.68, 30, np.where(head > 0.35, 38, 8))
    outside = np.where(bone & ~fluid, 1000, np.where(head > 0.5, 30, np.where(fluid, 8, -1000)))
    return np.where(brain, tissue, outside).astype(np.float32), affine
