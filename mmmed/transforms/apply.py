"""The deterministic steps, applied to one volume.

Resampling is MONAI's, imported when a volume needs it: what lies on the template's grid already,
as simulated cohorts do, costs neither the import nor the interpolation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, assert_never

import numpy as np
from scipy.ndimage import gaussian_filter

from mmmed.errors import DataError, GeometryError
from mmmed.readers import template
from mmmed.readers.nifti import Volume
from mmmed.transforms.step import (
    Clip,
    CropOrPad,
    PrepareStep,
    Register,
    Resize,
    Spacing,
    ToTemplate,
    ZScore,
)

Edge = Literal["zeros", "border"]
"""What stands outside a volume: nothing, or what its last voxel shows."""

SAME_GRID_MM = 1e-3
"""Affines closer than this are one grid: NIfTI stores them as float32."""


@dataclass(frozen=True)
class Applied:
    """A prepared volume and, per step, what was done to it in words."""

    volume: Volume
    record: tuple[str, ...]


def apply(volume: Volume, steps: Sequence[PrepareStep], *, space: str | None) -> Applied:
    """The volume after every step.

    Args:
        volume: canonical RAS.
        steps: in order.
        space: the template space that the file declares, and by what; None where it declares none.

    Raises:
        GeometryError: a step needs the template's space or grid and the volume is not in it.
        DataError: the intensities do not vary.
    """
    record = []
    for step in steps:
        volume, words = _step(volume, step, space)
        record.append(f"{step.kind}: {words}")
    return Applied(volume, tuple(record))


def _step(volume: Volume, step: PrepareStep, space: str | None) -> tuple[Volume, str]:
    match step:
        case Register():
            return _register(volume, space)
        case ToTemplate():
            return _to_template(volume, step)
        case Spacing():
            return _spacing(volume, step)
        case Resize():
            return _resize(volume, step)
        case CropOrPad():
            return _crop_or_pad(volume, step)
        case Clip():
            return _clip(volume, step)
        case ZScore():
            return _z_score(volume, step)
        case _:
            assert_never(step)


def _register(volume: Volume, space: str | None) -> tuple[Volume, str]:
    if space is None:
        raise GeometryError(
            "declares no template space (`SpatialReference: MNI152...` in its sidecar, or "
            "`space-MNI152...` in its name); register it to MNI152 first, or use a chain without "
            "`register`"
        )
    return volume, f"skipped, {space} is declared"


def _to_template(volume: Volume, step: ToTemplate) -> tuple[Volume, str]:
    grid = template.grid(step.voxel_mm)
    if volume.data.shape == grid.shape and _same(volume.affine, grid.affine):
        return volume, "skipped, lies on the grid"
    data = _resampled(volume, grid.affine, grid.shape, "zeros")
    if not data.any():
        raise GeometryError("does not reach the template's brain; its affine is not in MNI space")
    return Volume(data, grid.affine), f"resampled {volume.data.shape} to {grid.shape}"


def _spacing(volume: Volume, step: Spacing) -> tuple[Volume, str]:
    now = _voxel_mm(volume.affine)
    scale = np.asarray(step.voxel_mm) / now
    shape = tuple(
        max(round(size / factor), 1) for size, factor in zip(volume.data.shape, scale, strict=True)
    )
    affine = _stretched(volume.affine, scale)
    before = " x ".join(f"{size:.2f}" for size in now)
    return Volume(_resampled(volume, affine, shape, "border"), affine), f"from {before} mm"


def _resize(volume: Volume, step: Resize) -> tuple[Volume, str]:
    scale = np.asarray(volume.data.shape) / np.asarray(step.shape)
    affine = _stretched(volume.affine, scale)
    data = _resampled(volume, affine, step.shape, "border")
    return Volume(data, affine), f"from {volume.data.shape}"


def _crop_or_pad(volume: Volume, step: CropOrPad) -> tuple[Volume, str]:
    from monai.transforms.croppad.array import ResizeWithPadOrCrop

    lowest = float(volume.data.min())
    change = ResizeWithPadOrCrop(step.shape, mode="constant", constant_values=lowest)
    done: Any = change(_tensor(volume))
    affine = np.asarray(done.affine, dtype=np.float64)
    return Volume(done.array[0], affine), f"from {volume.data.shape}"


def _clip(volume: Volume, step: Clip) -> tuple[Volume, str]:
    low, high = np.percentile(volume.data, [step.low, step.high]).astype(np.float32)
    return Volume(volume.data.clip(low, high), volume.affine), f"to {low:.6g} and {high:.6g}"


def _z_score(volume: Volume, step: ZScore) -> tuple[Volume, str]:
    values = _counted(volume, step)
    mean = float(values.mean(dtype=np.float64))
    spread = float(values.std(dtype=np.float64))
    if spread <= 1e-6 * max(abs(mean), 1e-30):
        raise DataError("its intensities do not vary; export the image again")
    data = (volume.data - np.float32(mean)) * np.float32(1 / spread)
    return Volume(
        data, volume.affine
    ), f"mean {mean:.6g}, sd {spread:.6g} over {len(values)} voxels"


def _counted(volume: Volume, step: ZScore) -> np.ndarray:
    """The intensities that mean and spread are taken of, (n,)."""
    data = volume.data
    if step.within == "template-brain":
        return np.asarray(data[_brain(volume)])
    counted = data[data != 0] if step.within == "nonzero" else data.reshape(-1)
    if not len(counted):
        raise DataError("holds nothing but zeros; export the image again")
    return np.asarray(counted)


def _brain(volume: Volume) -> np.ndarray:
    """The template's brain mask, for a volume on the template's grid."""
    voxel_mm = round(float(volume.affine[0, 0]), 6)
    mask = template.brain_mask(voxel_mm)
    if mask.shape != volume.data.shape or not _same(volume.affine, template.grid(voxel_mm).affine):
        raise GeometryError("lies not on the template's grid; put `to-template` before `z-score`")
    return mask


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    return bool(np.abs(one - other).max() < SAME_GRID_MM)


def _stretched(affine: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """The affine of voxels `scale` times as large over the same field of view."""
    corner = affine @ np.append(scale / 2 - 0.5, 1.0)
    stretched = affine.copy()
    stretched[:3, :3] = affine[:3, :3] * scale
    stretched[:3, 3] = corner[:3]
    return stretched


def _resampled(volume: Volume, affine: np.ndarray, shape: Sequence[int], edge: Edge) -> np.ndarray:
    """Trilinear values on another grid, smoothed first along axes that lose voxels.

    The smoothing is MONAI's and scikit-image's convention against aliasing: a standard deviation
    of (factor - 1) / 2 voxels.
    """
    import torch
    from monai.transforms.spatial.array import SpatialResample

    factor = _voxel_mm(affine) / _voxel_mm(volume.affine)
    smooth = gaussian_filter(volume.data, np.maximum(factor - 1, 0) / 2, mode="nearest")
    resample = SpatialResample(mode="bilinear", padding_mode=edge, dtype=np.float64)
    done: Any = resample(
        _tensor(Volume(smooth, volume.affine)),
        dst_affine=torch.from_numpy(affine.copy()),
        spatial_size=tuple(shape),
    )
    return np.ascontiguousarray(done.array[0], dtype=np.float32)


def _voxel_mm(affine: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.norm(affine[:3, :3], axis=0))


def _tensor(volume: Volume) -> Any:
    """The volume as MONAI's tensor with an affine, (1, i, j, k)."""
    import torch
    from monai.data.meta_tensor import MetaTensor

    data = torch.from_numpy(volume.data[None].copy())
    return MetaTensor(data, affine=torch.from_numpy(volume.affine.copy()))
