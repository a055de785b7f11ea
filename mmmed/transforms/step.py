"""The closed vocabulary of steps that a chain is made of.

prepare   deterministic, cached: a volume in, a volume out
augment   random, keyed by a seed: an item in, an item of the same shape out

Axes are those of a volume in canonical RAS orientation: 0 left-right, 1 back-front, 2 down-up.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mmmed.config import Spec

Size = Annotated[int, Field(ge=2, le=1024)]
Millimetres = Annotated[float, Field(ge=0.5, le=16)]
Probability = Annotated[float, Field(ge=0, le=1)]


class Register(Spec):
    """Requires the template's space: what declares it passes, anything else is refused."""

    kind: Literal["register"]
    to: Literal["mni152"] = "mni152"


class ToTemplate(Spec):
    """Resamples onto the template's brain grid; what lies on it already is left as it is.

    Attributes:
        voxel_mm: the grid's voxel size.
    """

    kind: Literal["to-template"]
    voxel_mm: Millimetres = 4.0


class Spacing(Spec):
    """Resamples to voxels of this size.

    Attributes:
        voxel_mm: along each axis.
    """

    kind: Literal["spacing"]
    voxel_mm: tuple[Millimetres, Millimetres, Millimetres]


class Resize(Spec):
    """Resamples to this many voxels, whatever their size.

    Attributes:
        shape: voxels along each axis.
    """

    kind: Literal["resize"]
    shape: tuple[Size, Size, Size]


class CropOrPad(Spec):
    """Crops or pads around the centre to this many voxels; padding repeats the lowest value.

    Attributes:
        shape: voxels along each axis.
    """

    kind: Literal["crop-or-pad"]
    shape: tuple[Size, Size, Size]


class Clip(Spec):
    """Clips intensities at two of their own percentiles.

    Attributes:
        low: percentile that becomes the lowest value.
        high: percentile that becomes the highest value.
    """

    kind: Literal["clip"]
    low: Annotated[float, Field(ge=0, lt=50)] = 0.5
    high: Annotated[float, Field(gt=50, le=100)] = 99.5


class ZScore(Spec):
    """Subtracts the mean and divides by the standard deviation.

    Attributes:
        within: which voxels are counted: the template's brain mask, those that are not zero, or
            all. Every voxel is changed.
    """

    kind: Literal["z-score"]
    within: Literal["template-brain", "nonzero", "all"]


class Flip(Spec):
    """Mirrors left and right."""

    kind: Literal["flip"]
    probability: Probability = 0.5


class Roll(Spec):
    """Shifts along each axis by a whole number of voxels; what leaves enters on the other side.

    Attributes:
        voxels: the largest shift.
    """

    kind: Literal["roll"]
    voxels: Annotated[int, Field(ge=1, le=16)] = 1


class Gain(Spec):
    """Multiplies by a factor drawn from N(1, sd)."""

    kind: Literal["gain"]
    sd: Annotated[float, Field(gt=0, le=1)] = 0.05


class Offset(Spec):
    """Adds a value drawn from N(0, sd)."""

    kind: Literal["offset"]
    sd: Annotated[float, Field(gt=0)] = 0.05


class Noise(Spec):
    """Adds white noise from N(0, sd) to every voxel or entry."""

    kind: Literal["noise"]
    sd: Annotated[float, Field(gt=0)] = 0.05


PrepareStep = Register | ToTemplate | Spacing | Resize | CropOrPad | Clip | ZScore
AugmentStep = Flip | Roll | Gain | Offset | Noise
SPATIAL = (Flip, Roll)
"""Augmentations that need space; a vector has none."""
