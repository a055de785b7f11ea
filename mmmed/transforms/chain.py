"""A chain: how the items of one modality are prepared and augmented, read from `transforms/`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from mmmed import config
from mmmed.config import Spec
from mmmed.library import Found
from mmmed.modality import ItemKind
from mmmed.readers import template
from mmmed.readers.template import Like
from mmmed.record import digest
from mmmed.transforms.augmentation import (
    SPATIAL,
    AugmentStep,
    Gain,
    Noise,
    Offset,
    QuarterTurns,
    Stain,
)
from mmmed.transforms.colours import Colours
from mmmed.transforms.step import (
    FOR_VOLUMES,
    BrainMask,
    Clip,
    Colour,
    CropOrPad,
    Normalise,
    PrepareStep,
    ReferenceRegion,
    Register,
    Resize,
    RobustScale,
    ShorterSide,
    Spacing,
    ToTemplate,
    ZScore,
)

FOR_IMAGES = (ShorterSide, Colour, QuarterTurns, Stain)
"""Steps that need rows, columns and colours."""

RECOLOURING = (Clip, ZScore, RobustScale, Gain, Offset, Noise)
"""Steps after which nobody knows what value was which colour."""


class Chain(Spec):
    """What happens to the items of one modality.

    Attributes:
        item: the kind of item it takes.
        prepare: deterministic steps, in order; their result is cached.
        augment: random steps, in order, in training only.
        mirror: average the logits with those of the left-right mirrored item at prediction.
    """

    item: ItemKind
    prepare: tuple[Annotated[PrepareStep, Field(discriminator="kind")], ...] = ()
    augment: tuple[Annotated[AugmentStep, Field(discriminator="kind")], ...] = ()
    mirror: bool = False

    @model_validator(mode="after")
    def _fits_item(self) -> Chain:
        if self.item == "vector":
            if self.prepare:
                raise ValueError(f"a vector takes no {self.prepare[0].kind}: it is read as it is")
            spatial: list[str] = [step.kind for step in self.augment if isinstance(step, SPATIAL)]
            if self.mirror:
                spatial.append("mirror")
            if spatial:
                raise ValueError(f"a vector has no space for {spatial[0]}")
        return self

    @model_validator(mode="after")
    def _fits_space(self) -> Chain:
        steps = (*self.prepare, *self.augment)
        others = FOR_IMAGES if self.item == "volume" else FOR_VOLUMES
        strange: list[str] = [step.kind for step in steps if isinstance(step, others)]
        if self.item == "image":
            strange += [step.kind for step in steps if _within_brain(step)]
        if strange:
            raise ValueError(f"{strange[0]} does not fit items of kind {self.item}")
        axes = 3 if self.item == "volume" else 2
        for step in self.prepare:
            if isinstance(step, Resize | CropOrPad) and len(step.shape) != axes:
                raise ValueError(
                    f"{step.kind} states {len(step.shape)} sizes; an item of kind {self.item} has "
                    f"{axes} axes"
                )
        return self

    @model_validator(mode="after")
    def _extracts_from_mri(self) -> Chain:
        if self.extracts and self.registers == "pet":
            raise ValueError("HD-BET is for MRI; state `by: template` in a PET's `brain-mask`")
        return self

    @model_validator(mode="after")
    def _turns_squares(self) -> Chain:
        if not any(isinstance(step, QuarterTurns) for step in self.augment):
            return self
        shapes = [step.shape for step in self.prepare if isinstance(step, Resize | CropOrPad)]
        if not shapes or len(set(shapes[-1])) > 1:
            raise ValueError(
                "quarter-turns needs square images; end `prepare` with a resize or crop-or-pad to "
                "a square"
            )
        return self

    @model_validator(mode="after")
    def _stains_known_colours(self) -> Chain:
        places = [place for place, step in enumerate(self.augment) if isinstance(step, Stain)]
        if not places:
            return self
        colour = [step.to for step in self.prepare if isinstance(step, Colour)]
        if colour[-1:] != ["rgb"]:
            raise ValueError("stain needs images in colour; put `colour` to rgb into `prepare`")
        before = (*self.prepare, *self.augment[: places[-1]])
        unknown: list[str] = [step.kind for step in before if isinstance(step, RECOLOURING)]
        if unknown:
            raise ValueError(
                f"stain needs to know which value is which colour, and {unknown[0]} stands before "
                "it; put it after stain, or use `normalise` in `prepare`"
            )
        if any(len(step.mean) != len(Colours().mean) for step in self._normalised):
            raise ValueError("stain needs three channels; `normalise` states others")
        return self

    @property
    def colours(self) -> Colours:
        """How the channels of a prepared image in colour stand for red, green and blue in 0..1."""
        found = Colours()
        for step in self._normalised:
            if len(step.mean) == len(found.mean):
                found = found.then(step.mean, step.sd)
        return found

    @property
    def _normalised(self) -> list[Normalise]:
        return [step for step in self.prepare if isinstance(step, Normalise)]

    @property
    def space(self) -> tuple[int, ...] | None:
        """Every prepared item's shape in space; None where that depends on the file."""
        found: tuple[int, ...] | None = None
        for step in self.prepare:
            if isinstance(step, Resize | CropOrPad):
                found = step.shape
            elif isinstance(step, ToTemplate):
                found = template.grid(step.voxel_mm).shape
            elif isinstance(step, Spacing | ShorterSide):
                found = None
        return found

    @property
    def digest(self) -> str:
        """SHA-256 of what decides the prepared bytes; augmentation is not part of it.

        Raises:
            MissingExtra: it needs HD-BET, which is not there.
            StudyError: it needs HD-BET's weights, which are not there.
        """
        settings = self.model_dump(mode="json", include={"item", "prepare"})
        masks = [step.mask for step in self.prepare if isinstance(step, ReferenceRegion)]
        files = [digest.of_file(mask) for mask in masks if mask is not None and mask.is_file()]
        if self.extracts:
            from mmmed.transforms.brain_extraction import installed

            files.append(installed().digest)
        return digest.of_value({**settings, "files": files} if files else settings)

    @property
    def scale_free(self) -> bool:
        """Whether its result is the same in any linear unit."""
        return any(
            isinstance(step, ReferenceRegion | ZScore | RobustScale) for step in self.prepare
        )

    @property
    def extracts(self) -> bool:
        """Whether it needs HD-BET."""
        return any(isinstance(step, BrainMask) and step.by == "hd-bet" for step in self.prepare)

    @property
    def registers(self) -> Like | None:
        """What the scans of a chain that registers look like; None where it does not register."""
        step = self._register
        return step.template if step else None

    @property
    def through(self) -> str | None:
        """The modality through whose scan those of the chain are registered; None where alone."""
        step = self._register
        return step.through if step else None

    @property
    def _register(self) -> Register | None:
        return next((step for step in self.prepare if isinstance(step, Register)), None)


def _within_brain(step: PrepareStep | AugmentStep) -> bool:
    return isinstance(step, ZScore | RobustScale) and step.within == "template-brain"


def load_chain(found: Found) -> Chain:
    """The chain in a YAML of `transforms/`.

    Raises:
        StudyError: one line per fault, with `file:line`.
    """
    document = config.read(found.path)
    config.check_version(document)
    return config.validate(document, Chain, drop=("mmmed",))
