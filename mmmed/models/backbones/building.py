"""From options to a backbone."""

from __future__ import annotations

from collections.abc import Mapping

from mmmed.modality import Modality
from mmmed.models.backbones.backbone import Backbone, BackboneOptions, Conv, MapBackbone
from mmmed.models.backbones.conv import ConvNet
from mmmed.models.backbones.mlp import Mlp
from mmmed.models.standard import Standard, standard_of


def image_backbone(options: BackboneOptions, *, channels: int, dimensions: int) -> MapBackbone:
    """A backbone for volumes (`dimensions` 3) or images (2) with this many channels."""
    if isinstance(options, Conv):
        return ConvNet(options.widths, channels=channels, dimensions=dimensions)
    from mmmed.models.backbones.monai import monai_backbone  # MONAI takes seconds to import

    return monai_backbone(options, channels=channels, dimensions=dimensions)


def backbone_of(
    modality: Modality, options: BackboneOptions, *, standards: Mapping[str, Standard]
) -> Backbone:
    """A modality's own backbone: `options` for volumes and images, an `Mlp` for vectors."""
    if modality.kind == "vector":
        return Mlp(standard_of(modality, standards))
    return image_backbone(options, channels=modality.shape[0], dimensions=len(modality.space))
