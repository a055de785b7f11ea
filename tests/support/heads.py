"""Heads of known place: a volume moved by a known map, and how far another map is off."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
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
    data: np.ndarray, affine: np.ndarray, matrix: np.ndarray, voxel_mm: float = 4.0
) -> Raster:
    """The head where `matrix` puts it, on an upright grid of 255 mm around it."""
    side = round(255 / voxel_mm)
    grid = np.diag([voxel_mm, voxel_mm, voxel_mm, 1.0])
    grid[:3, 3] = matrix[:3, 3] + [-127, -145, -117]
    back = np.linalg.inv(affine) @ np.linalg.inv(matrix) @ grid
    values = affine_transform(data, back[:3, :3], back[:3, 3], output_shape=(side,) * 3, order=1)
    noise = np.abs(np.random.default_rng(0).normal(0, 0.02 * data.max(), values.shape))
    return Raster((values + noise).astype(np.float32)[None], grid)


def coloured(raster: Raster, slopes: tuple[float, float, float]) -> Raster:
    """The scan under a field: by how much its logarithm grows from middle to edge, per axis."""
    places = np.meshgrid(*[np.linspace(-1, 1, side) for side in raster.space], indexing="ij")
    field = np.exp(sum(slope * place for slope, place in zip(slopes, places, strict=True)))
    return Raster((raster.data * field).astype(np.float32), raster.affine)


def with_body(length_mm: float, matrix: np.ndarray, *, bladder: float = 0.0) -> Raster:
    """A PET of the given length on 4 mm voxels: the moved head, a neck and a trunk below it.

    The bladder, 700 mm below the head, is as many times as bright as the brain.
    """
    affine = np.diag([4.0, 4.0, 4.0, 1.0])
    affine[:3, 3] = matrix[:3, 3] + [-200, -200, 110 - length_mm]
    shape = (100, 100, round(length_mm / 4))
    source = np.asarray(template.looks("pet", 4.0))
    back = np.linalg.inv(template.grid(4.0).affine) @ np.linalg.inv(matrix) @ affine
    head = affine_transform(source, back[:3, :3], back[:3, 3], output_shape=shape, order=1)
    x, y, z = np.indices(shape) * 4.0
    x, y = x - 200.0, y - 200.0
    above = z + 110 - length_mm
    neck = (np.hypot(x, y + 20) < 60) & (above < -85) & (above > -200)
    trunk = (np.hypot(x / 1.6, y) < 110) & (above <= -200)
    brightest = float(source.max())
    heart = (np.hypot(x + 20, y - 30) < 45) & (abs(above + 330) < 45)
    data = np.maximum(head, brightest * (0.2 * (neck | trunk) + 0.8 * heart).clip(0, 1))
    data[(np.hypot(x, y) < 35) & (abs(above + 700) < 35)] += bladder * brightest
    noise = np.abs(np.random.default_rng(0).normal(0, 0.02 * brightest, shape))
    return Raster((data + noise).astype(np.float32)[None], affine)


def save_pair(folder: Path, case: str, *, mri: bool = True) -> None:
    """A T1w and a PET of one head in BIDS names, apart by a rigid map, on 5 mm voxels."""
    head, turn = planted((10, 5, -8), (20, -10, 30), 0.93), planted((-6, 4, 10), (12, -6, 8), 1.0)
    scans = {"pet/{}_pet": ("pet", turn @ head)}
    if mri:
        scans["anat/{}_T1w"] = ("t1", head)
    for name, (like, matrix) in scans.items():
        path = folder / case / f"{name.format(case)}.nii.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        source = np.asarray(template.looks(like, 2.0))
        raster = moved(source, template.grid(2.0).affine, matrix, 5.0)
        nib.save(nib.Nifti1Image(raster.data[0], raster.affine), path)


def with_neck(length_mm: float, matrix: np.ndarray) -> Raster:
    """A T1 of the given length on 3 mm voxels: head, neck and shoulders, fat around the muscle."""
    source, affine = with_skull()
    grid = np.diag([3.0, 3.0, 3.0, 1.0])
    grid[:3, 3] = matrix[:3, 3] + [-127, -145, 138 - length_mm]
    shape = (85, 85, round(length_mm / 3))
    back = np.linalg.inv(affine) @ np.linalg.inv(matrix) @ grid
    head = affine_transform(source, back[:3, :3], back[:3, 3], output_shape=shape, order=1)
    x, y, z = np.indices(shape) * 3.0
    x, y, above = x - 127, y - 145, z + 138 - length_mm
    depths = np.minimum(np.hypot(x, y + 30), np.where(above < -190, np.hypot(x / 2.2, y + 20), 999))
    body = np.where(depths < 50, 0.45, np.where(depths < 60, 1.0, 0)) * (above < -70)
    noise = np.abs(np.random.default_rng(0).normal(0, 0.02, shape))
    return Raster((np.maximum(head, body) + noise).astype(np.float32)[None], grid)


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
