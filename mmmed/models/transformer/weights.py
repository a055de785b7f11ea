"""A local vision transformer in timm's names, fitted to one of our encoders.

Three things are translated, none of which changes what the network computes: scales of residual
branches are multiplied into the layers before them, position embeddings without a place for the
class token get zeros there, and a kernel for three colours is summed for items of one channel.
"""

from __future__ import annotations

import re
from pathlib import Path

import torch
from torch import Tensor

from mmmed.models.backbones.weights import fill, read_weights
from mmmed.models.transformer.encoder import TransformerEncoder

PATCHES, OURS = "patch_embed.proj.", "patch_embed.project."
SCALED = {"ls1": "attn.proj", "ls2": "mlp.fc2"}
"""Scale of a residual branch -> the layer it follows."""


def load_encoder(encoder: TransformerEncoder, path: Path) -> None:
    """Fill an encoder from a file.

    Raises:
        StudyError: the file cannot be read, or a tensor is missing or has another shape.
    """
    found = {name.replace(PATCHES, OURS): value for name, value in read_weights(path).items()}
    found = _without_scales(found)
    wanted = encoder.state_dict()
    _widen(found, "pos_embed", wanted["pos_embed"])
    _sum_colours(found, f"{OURS}weight", wanted.get(f"{OURS}weight"))
    fill(encoder, found, path=path)


def _without_scales(found: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same network without `ls1` and `ls2`: x + g (W a + b) = x + (g W) a + g b."""
    folded = dict(found)
    for name, scale in found.items():
        match = re.fullmatch(r"(blocks\.\d+\.)(ls[12])\.gamma", name)
        if match:
            layer = match[1] + SCALED[match[2]]
            folded[f"{layer}.weight"] = scale[:, None] * found[f"{layer}.weight"]
            folded[f"{layer}.bias"] = scale * found[f"{layer}.bias"]
    return folded


def _widen(found: dict[str, Tensor], name: str, wanted: Tensor) -> None:
    positions = found.get(name)
    if positions is not None and positions.shape[1] == wanted.shape[1] - 1:
        found[name] = torch.cat([torch.zeros_like(positions[:, :1]), positions], dim=1)


def _sum_colours(found: dict[str, Tensor], name: str, wanted: Tensor | None) -> None:
    kernel = found.get(name)
    if kernel is not None and wanted is not None and (kernel.shape[1], wanted.shape[1]) == (3, 1):
        found[name] = kernel.sum(dim=1, keepdim=True)
