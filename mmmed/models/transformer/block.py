"""The pre-norm transformer block, whose keys and values a second stream can read.

Source: Dosovitskiy et al., An Image is Worth 16x16 Words, ICLR 2021, arXiv 2010.11929, equations
2 and 3. Modules are named as in timm's vision transformers.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

EPSILON = 1e-6
"""Of every layer norm, as in published vision transformers."""

SPREAD = 0.02
"""Standard deviation of fresh weights: blocks start close to the identity."""


@dataclass(frozen=True)
class KeysValues:
    """What queries attend to.

    Attributes:
        keys: (n, heads, N, E / heads).
        values: (n, heads, N, E / heads).
    """

    keys: Tensor
    values: Tensor

    def and_those_of(self, other: KeysValues) -> KeysValues:
        """These, followed by others."""
        return KeysValues(
            torch.cat([self.keys, other.keys], dim=2),
            torch.cat([self.values, other.values], dim=2),
        )


class Attention(nn.Module):
    """Multi-head attention with one projection to queries, keys and values."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> tuple[Tensor, KeysValues]:
        """Self-attention: (n, N, E) -> (n, N, E), and what was attended to."""
        queries, keys, values = (self._split(one) for one in self.qkv(x).chunk(3, dim=2))
        seen = KeysValues(keys, values)
        return self._attend(queries, seen), seen

    def read(self, x: Tensor, seen: KeysValues) -> Tensor:
        """Queries of x, (n, L, E), attend to `seen` and to nothing of x itself."""
        width = x.shape[2]
        queries = functional.linear(x, self.qkv.weight[:width], self.qkv.bias[:width])
        return self._attend(self._split(queries), seen)

    def keys_values(self, x: Tensor) -> KeysValues:
        """What others would attend to in x, (n, L, E)."""
        width = x.shape[2]
        both = functional.linear(x, self.qkv.weight[width:], self.qkv.bias[width:])
        keys, values = (self._split(one) for one in both.chunk(2, dim=2))
        return KeysValues(keys, values)

    def _attend(self, queries: Tensor, seen: KeysValues) -> Tensor:
        read = functional.scaled_dot_product_attention(queries, seen.keys, seen.values)
        joined: Tensor = self.proj(read.transpose(1, 2).flatten(2))
        return joined

    def _split(self, x: Tensor) -> Tensor:
        """(n, N, E) -> (n, heads, N, E / heads)."""
        return x.view(*x.shape[:2], self.heads, -1).transpose(1, 2)


class Mlp(nn.Module):
    """Two layers with a GELU between them."""

    def __init__(self, width: int, *, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """(n, N, E) -> (n, N, E)."""
        out: Tensor = self.fc2(functional.gelu(self.fc1(x)))
        return out


class Block(nn.Module):
    """x + attention(norm1(x)), then x + mlp(norm2(x))."""

    def __init__(self, width: int, *, heads: int, ratio: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=EPSILON)
        self.attn = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width, eps=EPSILON)
        self.mlp = Mlp(width, hidden=int(ratio * width))
        self.apply(_fresh)

    def forward(self, x: Tensor) -> tuple[Tensor, KeysValues]:
        """(n, N, E) -> (n, N, E), and the keys and values of x."""
        attended, seen = self.attn(self.norm1(x))
        return self._digest(x + attended), seen

    def read(self, x: Tensor, seen: KeysValues) -> Tensor:
        """The block on tokens that see `seen` and not each other, (n, L, E) -> (n, L, E)."""
        return self._digest(x + self.attn.read(self.norm1(x), seen))

    def keys_values(self, x: Tensor) -> KeysValues:
        """What others would attend to in x, (n, L, E)."""
        return self.attn.keys_values(self.norm1(x))

    def _digest(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.mlp(self.norm2(x))
        return out


def _fresh(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=SPREAD)
        nn.init.zeros_(module.bias)
