"""The projection block: from the tokens a case has to an estimate of those it lacks.

source       a modality that a case shows, `j`
target       a modality that it lacks, `i`
aggregated   A, a few learned tokens per modality; A_j gathers what source j says, A_i asks for
             target i as it was learned

Nezakati, Reza, Patil, Solh, Asif: Masked Modality Projection, 2024, arXiv 2410.03010. Three
attentions: A_j reads T_j (one module per modality); A_i reads what A_j gathered; T_j reads the
answer (one module each for all pairs). What all sources of a case say stands side by side, in the
order of the modalities, goes through the target's MLP and is resampled to the target's count.
A modality that a case does not show is read by nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

SMALL = 0.02
"""Standard deviation of the positions' first values."""


@dataclass(frozen=True)
class TokenShape:
    """How many tokens a modality has, and how wide they are.

    Attributes:
        count: T.
        width: E.
    """

    count: int
    width: int


class Projection(nn.Module):
    """Estimates, for every case, the tokens of each modality it does not show."""

    def __init__(
        self,
        shapes: Mapping[str, TokenShape],
        *,
        width: int,
        aggregated: int,
        heads: int,
        hidden: int,
        dropout: float,
    ) -> None:
        """Build it.

        Args:
            shapes: modality -> its tokens, in the order of the columns of `shown`.
            width: d, the width all modalities are brought to.
            aggregated: learned tokens per modality.
            heads: of every attention.
            hidden: width inside the MLPs.
            dropout: inside the MLPs.
        """
        super().__init__()
        self.shapes = dict(shapes)
        self.aggregated = nn.Parameter(torch.randn(len(shapes), aggregated, width))
        self.enter = nn.ModuleDict()
        self.position = nn.ParameterDict()
        self.gather = nn.ModuleDict()
        self.leave = nn.ModuleDict()
        for name, one in shapes.items():
            self.enter[name] = nn.Sequential(nn.Linear(one.width, width), nn.LayerNorm(width))
            self.position[name] = nn.Parameter(SMALL * torch.randn(one.count, width))
            self.gather[name] = Attention(width, heads)
            self.leave[name] = nn.Sequential(
                nn.LayerNorm(width),
                nn.Linear(width, hidden),
                nn.GELU(),
                nn.LayerNorm(hidden),
                nn.Dropout(dropout),
                nn.Linear(hidden, one.width),
            )
        self.ask = Attention(width, heads)
        self.answer = Attention(width, heads)

    def forward(self, tokens: Mapping[str, Tensor], shown: Tensor) -> dict[str, Tensor]:
        """Target -> (b, T, E), one row per case that lacks it, in the order of the cases.

        Args:
            tokens: modality -> (B, T, E); rows of cases that do not show it are not read.
            shown: (B, M) boolean, no row empty, on the device of the tokens.
        """
        said = {
            name: self._say(column, name, tokens[name], shown)
            for column, name in enumerate(self.shapes)
            if name in tokens
        }
        return {
            name: self._leave(column, name, said, shown)
            for column, name in enumerate(self.shapes)
            if not bool(shown[:, column].all())
        }

    def _say(self, source: int, name: str, tokens: Tensor, shown: Tensor) -> Tensor:
        """(B, M, T, d) what one source says of every target; zero where it says nothing."""
        pairs = shown[:, source, None] & ~shown  # (B, M)
        count, width = self.shapes[name].count, self.aggregated.shape[2]
        said = tokens.new_zeros(*pairs.shape, count, width)
        cases = pairs.any(dim=1).nonzero().flatten()
        if len(cases) == 0:
            return said
        entered = self.enter[name](tokens[cases]) + self.position[name]  # (b, T, d)
        learned = self.aggregated[source].expand(len(cases), -1, -1)
        gathered = self.gather[name](learned, entered)  # (b, K, d)
        row, target = pairs[cases].nonzero(as_tuple=True)
        met = self.ask(self.aggregated[target], gathered[row])  # (p, K, d)
        answered = self.answer(entered[row], met)  # (p, T, d)
        return said.index_put((cases[row], target), answered.to(said.dtype))

    def _leave(self, target: int, name: str, said: Mapping[str, Tensor], shown: Tensor) -> Tensor:
        """(b, T, E) the target's tokens where it is lacking, from what all sources say of it."""
        cases = (~shown[:, target]).nonzero().flatten()
        columns = [column for column, one in enumerate(self.shapes) if one in said]
        counts = torch.tensor([one.shape[2] for one in said.values()], device=shown.device)
        present = shown[cases][:, columns].repeat_interleave(counts, dim=1)  # (b, L)
        every = torch.cat([one[cases, target] for one in said.values()], dim=1)  # (b, L, d)
        left = self.leave[name](every)
        return resample(left, present, count=self.shapes[name].count)


class Attention(nn.Module):
    """Cross-attention: queries (b, Q, d) read (b, L, d) and nothing is added to them."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = nn.MultiheadAttention(width, heads, batch_first=True)

    def forward(self, queries: Tensor, read: Tensor) -> Tensor:
        """(b, Q, d)."""
        found: Tensor = self.heads(queries, read, read, need_weights=False)[0]
        return found


def resample(tokens: Tensor, present: Tensor, *, count: int) -> Tensor:
    """Linear interpolation of each row's present tokens, in their order, to one number of them.

    Where the result has fewer tokens, each of them is a weighted mean over a stretch that grows
    with the reduction, so that no token, and no source, is passed over. Cells are aligned by their
    edges; as many tokens as asked for come back as they are.

    Args:
        tokens: (b, L, E), finite.
        present: (b, L) boolean, no row empty; the other tokens are left out.
        count: of the tokens of the result.

    Returns:
        (b, count, E).
    """
    ratio = present.sum(dim=1)[:, None, None] / count  # (b, 1, 1)
    cell = torch.arange(count, device=tokens.device)[:, None] + 0.5
    centre = cell * ratio - 0.5  # (b, count, 1), in present tokens
    place = (present.cumsum(dim=1) - 1)[:, None]  # (b, 1, L)
    far = (place - centre.clamp(min=0)).abs() / ratio.clamp(min=1)
    weight = (1 - far).clamp(min=0) * present[:, None]  # (b, count, L)
    weight = weight / weight.sum(dim=2, keepdim=True)
    return weight.to(tokens.dtype) @ tokens
