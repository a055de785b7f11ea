"""What a study may say about any method."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated

from pydantic import Field

from mmmed.config import Spec
from mmmed.modality import Pattern


class MethodOptions(Spec):
    """What the options of all methods share.

    Attributes:
        kind: which method.
        name: what tables call it; variants of one kind in a study need names of their own.
    """

    kind: str
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")] = Field(
        default_factory=lambda known: str(known.get("kind", "unnamed"))
    )

    @property
    def lacks(self) -> str | None:
        """What a study must still say before the method can learn; None where nothing is left."""
        return None

    @property
    def needs_pairs(self) -> bool:
        """Whether it cannot learn without training cases that show two modalities."""
        return False

    def lessons(self, modalities: Collection[str]) -> tuple[Pattern, ...]:  # noqa: ARG002
        """What some training case of every class must show; none where any pattern teaches it.

        Args:
            modalities: of the study.
        """
        return ()

    @property
    def imputes(self) -> str | None:
        """What it fills holes with, fitted on complete cases; None where it imputes nothing."""
        return None
