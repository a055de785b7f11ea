"""The closed vocabulary of steps that prepare an item: a volume or image in, the same kind out.

They are deterministic, and what they make is cached; `augmentation` has the random ones.

Axes of a volume are those of canonical RAS orientation: 0 left-right, 1 back-front, 2 down-up.
Those of an image are 0 up-down (its rows), 1 left-right; its pixels are called voxels as well.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from mmmed.config import Spec
from mmmed.readers.template import Like

Size = Annotated[int, Field(ge=2, le=1024)]
Millimetres = Annotated[float, Field(ge=0.5, le=16)]
Shape = Annotated[tuple[Size, ...], Field(min_length=2, max_length=3)]
"""Of a volume three sizes, of an image two: rows (height), then columns (width)."""


class Register(Spec):
    """Brings a head to the template's space; what declares that space is left as it is.

    The map is affine, found from the scan alone or `through` another; only the scan's affine
    changes, so that `to-template` interpolates once. A scan that fails the checks of `quality` is
    refused.

    Attributes:
        to: the space.
        template: what the scan looks like: a T1-weighted MRI, or a PET of the brain's metabolism.
        through: of a PET: the modality of the T1-weighted MRI of the same case to which it is
            registered rigidly, and whose affine map it takes. Where the case shows no such scan,
            or one that cannot be used, the PET is registered by itself, and the record says so.
    """

    kind: Literal["register"]
    to: Literal["mni152"] = "mni152"
    template: Like = "t1"
    through: str | None = None

    @model_validator(mode="after")
    def _only_a_pet_goes_through(self) -> Register:
        if self.through is not None and self.template != "pet":
            raise ValueError("`through` is for a PET: state `template: pet`, or leave it out")
        return self


class BiasField(Spec):
    """Divides by the smooth field that coils add to an MRI (N4; Tustison et al., 2010).

    Attributes:
        shrink_mm: the field is estimated on voxels of about this size.
    """

    kind: Literal["bias-field"]
    shrink_mm: Annotated[float, Field(ge=2, le=16)] = 8.0


class ReferenceRegion(Spec):
    """Divides by the mean inside a region of the template: SUV becomes SUVR, in any linear unit.

    Attributes:
        region: `brain` is the template's whole brain, `cerebellum` its part below the tentorium,
            `cerebellum-grey` the grey matter of that part; `pons` and `mask`, any other region,
            are what `mask` says.
        mask: a NIfTI file in the template's space that is positive in the region.
    """

    kind: Literal["reference-region"]
    region: Literal["brain", "cerebellum", "cerebellum-grey", "pons", "mask"] = "brain"
    mask: Path | None = None

    @model_validator(mode="after")
    def _one_region(self) -> ReferenceRegion:
        if self.region == "pons" and self.mask is None:
            raise ValueError(
                "the template's maps show no border of the pons; state `mask`: a NIfTI file in "
                "MNI152 space that is positive in it"
            )
        if (self.region in {"pons", "mask"}) != (self.mask is not None):
            raise ValueError("`region: mask` and the path in `mask` belong together")
        return self


class RobustScale(Spec):
    """Shifts and scales so that two percentiles become 0 and 1; nothing is clipped.

    Attributes:
        low: percentile that becomes 0.
        high: percentile that becomes 1.
        within: which voxels are counted, as for `z-score`.
    """

    kind: Literal["robust-scale"]
    low: Annotated[float, Field(ge=0, lt=50)] = 1.0
    high: Annotated[float, Field(gt=50, le=100)] = 99.0
    within: Literal["template-brain", "nonzero", "all"] = "template-brain"


class BrainMask(Spec):
    """Sets to zero what lies outside the brain.

    Attributes:
        by: `template` takes the template's brain, on the template's grid; `hd-bet` asks HD-BET, on
            any grid that shows a whole head, and needs it and its weights on this machine.
    """

    kind: Literal["brain-mask"]
    by: Literal["template", "hd-bet"] = "template"


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
    shape: Shape


class ShorterSide(Spec):
    """Resamples an image to this many pixels along its shorter side, in its proportions.

    Attributes:
        pixels: along the shorter side.
    """

    kind: Literal["shorter-side"]
    pixels: Size


class CropOrPad(Spec):
    """Crops or pads around the centre to this many voxels.

    Attributes:
        shape: voxels along each axis.
        padding: which of the item's own values is repeated: the lowest, as behind a scanned head,
            or the highest, as on the glass around stained tissue.
    """

    kind: Literal["crop-or-pad"]
    shape: Shape
    padding: Literal["lowest", "highest"] = "lowest"


class Colour(Spec):
    """Makes images agree in their channels: grey by its share of brightness, RGB by repeating grey.

    Attributes:
        to: one channel or three.
    """

    kind: Literal["colour"]
    to: Literal["grey", "rgb"]


class Clip(Spec):
    """Clips intensities at two of their own percentiles, over all channels together.

    Attributes:
        low: percentile that becomes the lowest value.
        high: percentile that becomes the highest value.
    """

    kind: Literal["clip"]
    low: Annotated[float, Field(ge=0, lt=50)] = 0.5
    high: Annotated[float, Field(gt=50, le=100)] = 99.5


class ZScore(Spec):
    """Subtracts the mean and divides by the standard deviation, over all channels together.

    Attributes:
        within: which voxels are counted: the template's brain mask, those that are not zero, or
            all. Every voxel is changed.
    """

    kind: Literal["z-score"]
    within: Literal["template-brain", "nonzero", "all"]


class Normalise(Spec):
    """Subtracts a stated mean from each channel and divides by a stated standard deviation.

    The same figures serve every item, so that its own brightness stays; `z-score` takes it away.

    Attributes:
        mean: per channel; an image's values are in 0..1.
        sd: per channel.
    """

    kind: Literal["normalise"]
    mean: Annotated[tuple[float, ...], Field(min_length=1)]
    sd: Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _as_many(self) -> Normalise:
        if len(self.mean) != len(self.sd):
            raise ValueError(
                f"states {len(self.mean)} means and {len(self.sd)} sds; state one of each per "
                "channel"
            )
        return self


PrepareWithoutRegister = (
    BiasField
    | ReferenceRegion
    | RobustScale
    | BrainMask
    | ToTemplate
    | Spacing
    | Resize
    | ShorterSide
    | CropOrPad
    | Colour
    | Clip
    | ZScore
    | Normalise
)
PrepareStep = Register | PrepareWithoutRegister

FOR_VOLUMES = (Register, BiasField, ReferenceRegion, BrainMask, ToTemplate, Spacing)
"""Steps that need mm."""
