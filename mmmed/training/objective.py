"""The number that a turn lowers: terms divided by their counts over all ranks, then added."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn

from mmmed.models.contract import Loss


@dataclass(frozen=True)
class Objective:
    """One turn's loss of one step.

    Attributes:
        value: scalar to call `backward` on; None where no rank has anything for this turn. With
            several ranks, the mean of their gradients is that of the loss over all their cases.
        terms: name -> the term over all ranks.
        stop: whether any rank asks to stop.
    """

    value: Tensor | None
    terms: Mapping[str, Tensor]
    stop: bool


def objective(
    losses: Mapping[str, Loss], parameters: Sequence[nn.Parameter], *, stop: bool = False
) -> Objective:
    """Divide each term by its count over all ranks and add the terms.

    Args:
        losses: of this rank; a term for which its cases hold nothing has count 0 or no key.
        parameters: of the turn; a rank without anything for them adds zero to their gradient.
        stop: this rank asks to stop.
    """
    losses = {name: loss for name, loss in losses.items() if loss.count}
    if not (dist.is_available() and dist.is_initialized()):
        terms = {name: loss.sum / loss.count for name, loss in losses.items()}
        return Objective(_added(terms), _detached(terms), stop)
    everywhere = _gathered(losses, stop=stop)
    counts = everywhere.counts
    mine = {name: loss.sum * dist.get_world_size() / counts[name] for name, loss in losses.items()}
    value = _added(mine)
    if value is None and counts:
        value = torch.stack([0 * parameter.sum() for parameter in parameters]).sum()
    terms = {name: torch.tensor(everywhere.sums[name] / counts[name]) for name in counts}
    return Objective(value, terms, everywhere.stop)


@dataclass(frozen=True)
class _Everywhere:
    """Sums and counts per term over all ranks."""

    sums: Mapping[str, float]
    counts: Mapping[str, int]
    stop: bool


def _gathered(losses: Mapping[str, Loss], *, stop: bool) -> _Everywhere:
    mine = ({name: (float(loss.sum.detach()), loss.count) for name, loss in losses.items()}, stop)
    ranks: list[tuple[dict[str, tuple[float, int]], bool]] = [mine] * dist.get_world_size()
    dist.all_gather_object(ranks, mine)
    sums: dict[str, float] = {}
    counts: dict[str, int] = {}
    for terms, _ in ranks:
        for name, (total, count) in terms.items():
            sums[name] = sums.get(name, 0.0) + total
            counts[name] = counts.get(name, 0) + count
    return _Everywhere(sums, counts, any(asked for _, asked in ranks))


def _added(terms: Mapping[str, Tensor]) -> Tensor | None:
    return torch.stack(list(terms.values())).sum() if terms else None


def _detached(terms: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: term.detach() for name, term in terms.items()}
