"""Token encoders: what turns one item into a short sequence of vectors.

encoder   `forward(x: (n, C, *space)) -> (n, T, E)`, T is its `count`, E its `width`
kind      `grid` (the last feature map of a backbone) and `patches` (cut and projected) for
          volumes and images; vectors always become a few tokens of their own

Tokens stand in the order of space, first axis slowest; where they stood is for the caller to add.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor, nn

from mmmed.config import Spec
from mmmed.models.backbones.backbone import BackboneOptions, Conv


class Grid(Spec):
    """A token per cell of a backbone's last feature map.

    Attributes:
        backbone: what makes the map.
        most: cells per axis at most; a larger map is averaged down to it.
    """

    kind: Literal["grid"] = "grid"
    backbone: BackboneOptions = Conv()
    most: Annotated[int, Field(ge=1)] = 3


class Patches(Spec):
    """A token per patch: a linear map of its voxels.

    Attributes:
        size: voxels per axis; the last patch of an axis is filled up with zeros.
        width: E.
    """

    kind: Literal["patches"]
    size: Annotated[int, Field(ge=1)] = 8
    width: Annotated[int, Field(ge=1)] = 64


TokenOptions = Annotated[Grid | Patches, Field(discriminator="kind")]


class TokenEncoder(nn.Module, ABC):
    """A sequence of tokens per item.

    Attributes:
        count: T, fixed by the modality's shape.
        width: E.
    """

    count: int
    width: int

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """Items (n, C, *space) or (n, F) -> tokens (n, T, E)."""
