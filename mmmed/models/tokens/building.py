"""From options to a token encoder."""

from __future__ import annotations

from collections.abc import Mapping

from mmmed.modality import Modality
from mmmed.models.backbones.building import image_backbone
from mmmed.models.standard import Standard, standard_of
from mmmed.models.tokens.encoder import Patches, TokenEncoder, TokenOptions
from mmmed.models.tokens.grid import GridTokens
from mmmed.models.tokens.patches import PatchTokens
from mmmed.models.tokens.vector import VectorTokens


def token_encoder(
    modality: Modality, options: TokenOptions, *, standards: Mapping[str, Standard]
) -> TokenEncoder:
    """A modality's own encoder: `options` for volumes and images; vectors have their own kind."""
    if modality.kind == "vector":
        return VectorTokens(standard_of(modality, standards))
    if isinstance(options, Patches):
        return PatchTokens(modality.shape, size=options.size, width=options.width)
    backbone = image_backbone(
        options.backbone, channels=modality.shape[0], dimensions=len(modality.space)
    )
    return GridTokens(backbone, modality.shape, most=options.most)
