"""The encoder: tokens of an item, a class token, positions, blocks, and one embedding.

tokens `grid` and a few blocks are the hybrid for small cohorts: a convolutional stem and attention
over its cells; tokens `patches` and more blocks are a vision transformer.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from mmmed.config import Spec
from mmmed.errors import StudyError
from mmmed.modality import Modality
from mmmed.models.standard import Standard
from mmmed.models.tokens.building import token_encoder
from mmmed.models.tokens.encoder import Grid, Patches, TokenOptions
from mmmed.models.tokens.patches import PatchTokens
from mmmed.models.transformer.block import EPSILON, SPREAD, Block


class EncoderOptions(Spec):
    """What a study may say about a transformer encoder.

    Attributes:
        tokens: of volumes and images; vectors have a few tokens of their own.
        depth: blocks.
        heads: of every attention; they divide the width of the tokens.
        ratio: hidden width of a block's MLP over the width of the tokens.
        pool: the embedding is the mean of the output tokens, or the class token's output.
        weights: a local state dict of a vision transformer in timm's names, for volumes and
            images with tokens `patches`; None starts from scratch.
    """

    tokens: TokenOptions = Grid()
    depth: Annotated[int, Field(ge=1)] = 2
    heads: Annotated[int, Field(ge=1)] = 4
    ratio: Annotated[float, Field(gt=0)] = 4.0
    pool: Literal["mean", "class"] = "mean"
    weights: Path | None = None

    @model_validator(mode="after")
    def _weights_are_of_a_vision_transformer(self) -> EncoderOptions:
        if self.weights is not None and not isinstance(self.tokens, Patches):
            raise ValueError("weights are of a vision transformer: tokens: {kind: patches}")
        return self


class TransformerEncoder(nn.Module):
    """One modality's encoder.

    Attributes:
        width: E.
        has_stem: whether the tokens come from a net of their own, not from a linear map.
    """

    def __init__(
        self, modality: Modality, options: EncoderOptions, *, standards: Mapping[str, Standard]
    ) -> None:
        """Build it with fresh weights.

        Raises:
            StudyError: the heads do not divide the width of the tokens.
        """
        super().__init__()
        self.patch_embed = token_encoder(modality, options.tokens, standards=standards)
        self.width = self.patch_embed.width
        self.has_stem = not isinstance(self.patch_embed, PatchTokens)
        self.pool = options.pool
        if self.width % options.heads:
            raise StudyError(
                f"{modality.name}: {options.heads} heads do not divide tokens of width "
                f"{self.width}; choose another number of heads"
            )
        self.cls_token = nn.Parameter(torch.empty(1, 1, self.width))
        self.pos_embed = nn.Parameter(torch.empty(1, 1 + self.patch_embed.count, self.width))
        nn.init.trunc_normal_(self.cls_token, std=SPREAD)
        nn.init.trunc_normal_(self.pos_embed, std=SPREAD)
        self.blocks = nn.ModuleList(
            Block(self.width, heads=options.heads, ratio=options.ratio)
            for _ in range(options.depth)
        )
        self.norm = nn.LayerNorm(self.width, eps=EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        """Items (n, C, *space) or (n, F) -> embeddings (n, E)."""
        x = self.place(self.patch_embed(x))
        for block in self.layers():
            x, _ = block(x)
        return self.embedding(self.norm(x))

    def layers(self) -> list[Block]:
        """The blocks, first to last."""
        return [block for block in self.blocks if isinstance(block, Block)]

    def place(self, tokens: Tensor) -> Tensor:
        """Class token and positions: (n, T, E) -> (n, 1 + T, E), what the first block reads."""
        first = self.cls_token.expand(len(tokens), -1, -1)
        return torch.cat([first, tokens], dim=1) + self.pos_embed

    def embedding(self, tokens: Tensor) -> Tensor:
        """Output tokens (n, 1 + T, E) -> (n, E)."""
        return tokens[:, 0] if self.pool == "class" else tokens[:, 1:].mean(dim=1)
