"""Prompts: learned tokens beside an item's tokens, whose outputs say what the encoder saw.

read-only   prompts attend to the item's tokens; nobody attends to prompts
mutual      prompts attend to the item's tokens and to prompts; the item's tokens do not see them
ordinary    prompts are tokens like any other

The first two run as a second stream over the keys and values of the first, which is therefore
the encoder without prompts to the last bit. Appending prompts and masking their columns computes
the same up to rounding.

Source: Lee et al., Read-only Prompt Optimization, ICCV 2023, arXiv 2308.14960 (one insertion at
the input, no position, started at the class token plus noise).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmmed.models.transformer.encoder import TransformerEncoder

PromptKind = Literal["read-only", "mutual", "ordinary"]

NOISE = 0.1
"""Length of the noise that tells fresh prompts apart."""


@dataclass(frozen=True)
class Read:
    """What an encoder with prompts makes of items.

    Attributes:
        embedding: (n, E).
        prompts: (n, L, E), the prompts' outputs.
    """

    embedding: Tensor
    prompts: Tensor


class Prompts(nn.Module):
    """Learned tokens for one encoder, kept as their distance from its class token."""

    def __init__(self, kind: PromptKind, *, length: int, width: int) -> None:
        super().__init__()
        self.kind: PromptKind = kind
        self.offset = nn.Parameter(
            NOISE * functional.normalize(torch.randn(1, length, width), dim=2)
        )

    def forward(self, encoder: TransformerEncoder, tokens: Tensor) -> Read:
        """Tokens (n, T, E) of items, before class token and positions."""
        prompts = (encoder.cls_token.detach() + self.offset).expand(len(tokens), -1, -1)
        items = encoder.place(tokens)
        if self.kind == "ordinary":
            items, prompts = _together(encoder, items, prompts)
        else:
            items, prompts = _beside(encoder, items, prompts, mutual=self.kind == "mutual")
        return Read(encoder.embedding(encoder.norm(items)), encoder.norm(prompts))


def _together(encoder: TransformerEncoder, items: Tensor, prompts: Tensor) -> tuple[Tensor, Tensor]:
    """One stream: everyone sees everyone."""
    count = items.shape[1]
    both = torch.cat([items, prompts], dim=1)
    for block in encoder.layers():
        both, _ = block(both)
    return both[:, :count], both[:, count:]


def _beside(
    encoder: TransformerEncoder, items: Tensor, prompts: Tensor, *, mutual: bool
) -> tuple[Tensor, Tensor]:
    """Two streams: the items' own, and the prompts' that reads it layer by layer."""
    for block in encoder.layers():
        items, seen = block(items)
        if mutual:
            seen = seen.and_those_of(block.keys_values(prompts))
        prompts = block.read(prompts, seen)
    return items, prompts
