"""The deterministic steps, applied to one volume or image.

What lies on the template's grid already, as simulated cohorts do, costs no interpolation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, assert_never

import numpy as np

from mmmed.errors import DataError, GeometryError
from mmmed.readers import region, template
from mmmed.transforms.raster import Raster
from mmmed.transforms.resample import resampled, same_grid, stretched, tensor
from mmmed.transforms.step import (
    BiasField,
    BrainMask,
    Clip,
    Colour,
    CropOrPad,
    Normalise,
    PrepareStep,
    PrepareWithoutRegister,
    ReferenceRegion,
    Register,
    Resize,
    RobustScale,
    ShorterSide,
    Spacing,
    ToTemplate,
    ZScore,
)

if TYPE_CHECKING:
    from mmmed.transforms.register import Guide
    from mmmed.transforms.registered import Registered

LUMA = (0.299, 0.587, 0.114)
"""Shares of red, green and blue in grey: Recommendation ITU-R BT.601."""

LONGEST = 8192
"""Pixels of the longest side that `shorter-side` makes; a thin strip would become a huge image."""


@dataclass(frozen=True)
class Applied:
    """What was prepared and, per step, what was done to it in words.

    Attributes:
        raster: after the last step; after `register` where that failed.
        record: per step.
        registered: the map and its quality, where a map was sought.
    """

    raster: Raster
    record: tuple[str, ...]
    registered: Registered | None = None


def apply(
    raster: Raster,
    steps: Sequence[PrepareStep],
    *,
    space: str | None,
    suv: bool = False,
    guide: Guide | None = None,
) -> Applied:
    """The volume or image after every step.

    Args:
        raster: a volume in canonical RAS orientation, or an image.
        steps: in order, fit for its kind.
        space: the template space that the file declares, and by what; None where it declares none.
        suv: the values are SUVbw.
        guide: the scan that `register` goes through; None where it finds its map alone.

    Raises:
        GeometryError: a step needs the template's space or grid and the volume is not in it, or an
            image is too thin a strip.
        DataError: the intensities do not vary, or a step is for other channels.
    """
    record = []
    found: Registered | None = None
    for step in steps:
        if not isinstance(step, Register):
            raster, words = _step(raster, step)
        elif space is not None:
            words = f"skipped, {space} is declared"
        else:
            found, words = _registered(raster, step, guide, suv=suv)
            raster = Raster(raster.data, found.matrix @ raster.affine)
        record.append(f"{step.kind}: {words}")
        if found and found.quality.verdict == "fail":
            break
    return Applied(raster, tuple(record), found)


def _registered(
    raster: Raster, step: Register, guide: Guide | None, *, suv: bool
) -> tuple[Registered, str]:
    from mmmed.transforms.register import register, register_through

    if guide is not None:
        found = register_through(raster, guide, suv=suv)
        return found, f"{found.words}, through {step.through}"
    found = register(raster, step.template, suv=suv)
    return found, found.words if step.through is None else f"{found.words}, no {step.through} used"


def _step(  # noqa: C901 - a table
    raster: Raster, step: PrepareWithoutRegister
) -> tuple[Raster, str]:
    match step:
        case BiasField():
            from mmmed.transforms.bias_field import corrected

            return corrected(raster, shrink_mm=step.shrink_mm)
        case ReferenceRegion():
            return _reference_region(raster, step)
        case RobustScale():
            return _robust_scale(raster, step)
        case BrainMask():
            return _brain_mask(raster, step)
        case ToTemplate():
            return _to_template(raster, step)
        case Spacing():
            return _spacing(raster, step)
        case Resize():
            return _resize(raster, step.shape)
        case ShorterSide():
            return _shorter_side(raster, step)
        case CropOrPad():
            return _crop_or_pad(raster, step)
        case Colour():
            return _colour(raster, step)
        case Clip():
            return _clip(raster, step)
        case ZScore():
            return _z_score(raster, step)
        case Normalise():
            return _normalise(raster, step)
        case _:
            assert_never(step)


def _brain_mask(raster: Raster, step: BrainMask) -> tuple[Raster, str]:
    if step.by == "template":
        inside, by = _brain(raster), ""
    else:
        from mmmed.transforms.brain_extraction import brain

        inside, by = brain(raster), " by HD-BET"
    words = f"{int(inside.sum())} voxels kept{by}"
    return Raster(raster.data * inside, raster.affine), words


def _to_template(raster: Raster, step: ToTemplate) -> tuple[Raster, str]:
    grid = template.grid(step.voxel_mm)
    if raster.space == grid.shape and same_grid(raster.affine, grid.affine):
        return raster, "skipped, lies on the grid"
    data = resampled(raster, grid.affine, grid.shape, edge="zeros")
    if not data.any():
        raise GeometryError("does not reach the template's brain; its affine is not in MNI space")
    return Raster(data, grid.affine), f"resampled {raster.space} to {grid.shape}"


def _spacing(raster: Raster, step: Spacing) -> tuple[Raster, str]:
    now = raster.voxel_mm
    scale = np.asarray(step.voxel_mm) / now
    shape = tuple(
        max(round(size / factor), 1) for size, factor in zip(raster.space, scale, strict=True)
    )
    affine = stretched(raster.affine, scale)
    before = " x ".join(f"{size:.2f}" for size in now)
    return Raster(resampled(raster, affine, shape, edge="border"), affine), f"from {before} mm"


def _resize(raster: Raster, shape: Sequence[int]) -> tuple[Raster, str]:
    affine = stretched(raster.affine, np.asarray(raster.space) / np.asarray(shape))
    data = resampled(raster, affine, shape, edge="border")
    return Raster(data, affine), f"from {raster.space}"


def _shorter_side(raster: Raster, step: ShorterSide) -> tuple[Raster, str]:
    factor = step.pixels / min(raster.space)
    shape = [max(round(size * factor), step.pixels) for size in raster.space]
    if max(shape) > LONGEST:
        raise GeometryError(
            f"has {raster.space[0]} x {raster.space[1]} pixels, which `shorter-side` would make "
            f"{shape[0]} x {shape[1]}; at most {LONGEST} along a side: cut it into tiles"
        )
    return _resize(raster, shape)


def _crop_or_pad(raster: Raster, step: CropOrPad) -> tuple[Raster, str]:
    if raster.space == step.shape:
        return raster, f"skipped, is {step.shape}"
    from monai.transforms.croppad.array import ResizeWithPadOrCrop

    value = raster.data.min() if step.padding == "lowest" else raster.data.max()
    change = ResizeWithPadOrCrop(step.shape, mode="constant", constant_values=float(value))
    done: Any = change(tensor(raster))
    data = np.ascontiguousarray(done.array, dtype=np.float32)
    axes = len(raster.space)
    affine = np.asarray(done.affine, dtype=np.float64)
    kept = [*range(axes), -1]
    return Raster(data, affine[np.ix_(kept, kept)]), f"from {raster.space}"


def _colour(raster: Raster, step: Colour) -> tuple[Raster, str]:
    wanted = 1 if step.to == "grey" else 3
    if raster.channels == wanted:
        return raster, f"skipped, is {step.to}"
    if step.to == "rgb":
        return Raster(np.repeat(raster.data, 3, axis=0), raster.affine), "from grey"
    grey = np.tensordot(np.asarray([LUMA], dtype=np.float32), raster.data, axes=1)
    return Raster(grey, raster.affine), "from rgb"


def _clip(raster: Raster, step: Clip) -> tuple[Raster, str]:
    low, high = np.percentile(raster.data, [step.low, step.high]).astype(np.float32)
    return Raster(raster.data.clip(low, high), raster.affine), f"to {low:.6g} and {high:.6g}"


def _z_score(raster: Raster, step: ZScore) -> tuple[Raster, str]:
    values = _counted(raster, step)
    mean = float(values.mean(dtype=np.float64))
    spread = float(values.std(dtype=np.float64))
    if spread <= 1e-6 * max(abs(mean), 1e-30):
        raise DataError("its intensities do not vary; export the image again")
    data = (raster.data - np.float32(mean)) * np.float32(1 / spread)
    words = f"mean {mean:.6g}, sd {spread:.6g} over {len(values)} voxels"
    return Raster(data, raster.affine), words


def _robust_scale(raster: Raster, step: RobustScale) -> tuple[Raster, str]:
    low, high = np.percentile(_counted(raster, step), [step.low, step.high]).astype(np.float32)
    if not high > low:
        raise DataError("its intensities do not vary; export the image again")
    data = (raster.data - low) / (high - low)
    return Raster(data, raster.affine), f"{low:.6g} to 0, {high:.6g} to 1"


def _reference_region(raster: Raster, step: ReferenceRegion) -> tuple[Raster, str]:
    weight = region.sampled(step.region, step.mask, raster.affine, raster.space)
    mean = float((raster.data[0] * weight).sum(dtype=np.float64) / weight.sum(dtype=np.float64))
    if not mean > 0:
        raise DataError(
            f"its mean in the reference region {step.region} is {mean:.3g}; choose another region, "
            "or check that the scan is a PET"
        )
    return Raster(raster.data / np.float32(mean), raster.affine), f"{step.region} mean {mean:.6g}"


def _normalise(raster: Raster, step: Normalise) -> tuple[Raster, str]:
    if raster.channels != len(step.mean):
        raise DataError(
            f"has {raster.channels} channels and `normalise` states {len(step.mean)}; "
            "put `colour` before it"
        )
    sides = (-1, *[1] * len(raster.space))
    mean, sd = (np.asarray(one, np.float32).reshape(sides) for one in (step.mean, step.sd))
    return Raster((raster.data - mean) / sd, raster.affine), "by the stated mean and sd"


def _counted(raster: Raster, step: ZScore | RobustScale) -> np.ndarray:
    """The values that mean and spread are taken of, (n,)."""
    data = raster.data
    if step.within == "template-brain":
        return np.asarray(data[0][_brain(raster)])
    counted = data[data != 0] if step.within == "nonzero" else data.reshape(-1)
    if not len(counted):
        raise DataError("holds nothing but zeros; export the image again")
    return np.asarray(counted)


def _brain(raster: Raster) -> np.ndarray:
    """The template's brain mask, for a volume on the template's grid."""
    voxel_mm = round(float(raster.affine[0, 0]), 6)
    mask = template.brain_mask(voxel_mm)
    if mask.shape != raster.space or not same_grid(raster.affine, template.grid(voxel_mm).affine):
        raise GeometryError("lies not on the template's grid; put `to-template` before `z-score`")
    return mask
