"""Backbones: what turns one item into one embedding.

backbone   `forward(x: (n, C, *space)) -> (n, E)`, E is its `width`
map        what a backbone for volumes and images makes before its average over space
kind       `conv` (ours), `resnet`, `densenet`, `efficientnet`, `swin-unetr` (MONAI's) for volumes
           and images; vectors always go through an `mlp`
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field
from torch import Tensor, nn

from mmmed.config import Spec


class Conv(Spec):
    """Our small convolutional net, the one the demo uses.

    Attributes:
        widths: channels of each stage; 8-16-32-64 has 73 k kernel weights in 3D.
    """

    kind: Literal["conv"] = "conv"
    widths: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)] = (
        8,
        16,
        32,
        64,
    )


class ResNet(Spec):
    """MONAI's ResNet; for images it is laid out as torchvision's, so that its files fit.

    Attributes:
        weights: a local file with a state dict, such as torchvision's `resnet18-f37072fd.pth` for
            images in colour; None starts from scratch.
    """

    kind: Literal["resnet"]
    depth: Literal[10, 18, 34, 50] = 18
    weights: Path | None = None


class DenseNet(Spec):
    """MONAI's DenseNet.

    Attributes:
        weights: a local file with a state dict, such as torchvision's `densenet121-a639ec97.pth`
            for images in colour; None starts from scratch.
    """

    smallest: ClassVar[int] = 29
    """Pixels or voxels of the shortest axis that is left with one after five halvings.

    Its last pools drop incomplete windows; those of the other backbones keep or pad them.
    """

    kind: Literal["densenet"]
    depth: Literal[121, 169] = 121
    weights: Path | None = None


class EfficientNet(Spec):
    """MONAI's EfficientNet.

    Attributes:
        size: b0 is the smallest.
        weights: a local file with a state dict, such as `efficientnet-b0-355c32eb.pth` of
            EfficientNet-PyTorch for images in colour; None starts from scratch.
    """

    kind: Literal["efficientnet"]
    size: Literal["b0", "b1", "b2", "b3", "b4", "b5", "b6", "b7"] = "b0"
    weights: Path | None = None


class SwinUnetr(Spec):
    """The encoder of MONAI's SwinUNETR.

    Attributes:
        feature_size: channels after the first patches; the embedding is 16 times as wide.
    """

    kind: Literal["swin-unetr"]
    feature_size: Literal[12, 24, 48] = 24
    weights: Path | None = None


BackboneOptions = Annotated[
    Conv | ResNet | DenseNet | EfficientNet | SwinUnetr, Field(discriminator="kind")
]


class Backbone(nn.Module, ABC):
    """One embedding per item.

    Attributes:
        width: E.
    """

    width: int

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """Items (n, C, *space) or (n, F) -> embeddings (n, E)."""


class MapBackbone(Backbone):
    """A backbone for volumes and images: a map, and its average over space."""

    @abstractmethod
    def feature_map(self, x: Tensor) -> Tensor:
        """Items (n, C, *space) -> the last map (n, E, *smaller space)."""

    def forward(self, x: Tensor) -> Tensor:
        """(n, C, *space) -> (n, E)."""
        return self.feature_map(x).flatten(2).mean(dim=2)
