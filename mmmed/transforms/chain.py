"""A chain: how the items of one modality are prepared and augmented, read from `transforms/`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from mmmed import config
from mmmed.config import Spec
from mmmed.library import Found
from mmmed.modality import ItemKind
from mmmed.record import digest
from mmmed.transforms.step import SPATIAL, AugmentStep, PrepareStep


class Chain(Spec):
    """What happens to the items of one modality.

    Attributes:
        item: the kind of item it takes.
        prepare: deterministic steps, in order; their result is cached.
        augment: random steps, in order, in training only.
        mirror: average the logits with those of the left-right mirrored volume at prediction.
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

    @property
    def digest(self) -> str:
        """SHA-256 of what decides the prepared bytes; augmentation is not part of it."""
        return digest.of_value(self.model_dump(mode="json", include={"item", "prepare"}))


def load_chain(found: Found) -> Chain:
    """The chain in a YAML of `transforms/`.

    Raises:
        StudyError: one line per fault, with `file:line`.
    """
    document = config.read(found.path)
    config.check_version(document)
    return config.validate(document, Chain, drop=("mmmed",))
