"""VICReg: two views of the same things are pulled together while neither may collapse.

invariance   mean squared difference of the views
variance     how far each variable's standard deviation falls short of one
covariance   squared covariances of different variables

Source: Bardes, Ponce, LeCun: VICReg, ICLR 2022, arXiv 2105.04906, with the reductions of the
authors' code: the invariance is a mean over all N x E entries.
"""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn import functional

from mmmed.config import Spec
from mmmed.errors import DataError
from mmmed.models.contract import Loss

STEADY = 1e-4
"""Added to a variance before its root: a constant variable has a finite gradient."""


class Coefficients(Spec):
    """The weights of the three terms; the defaults are those of the authors.

    Attributes:
        invariance: lambda.
        variance: mu.
        covariance: nu.
    """

    invariance: float = 25.0
    variance: float = 25.0
    covariance: float = 1.0


def vicreg(one: Tensor, other: Tensor, *, coefficients: Coefficients | None = None) -> Tensor:
    """The loss of N >= 2 things in two views, (N, E) each.

    Raises:
        DataError: there is one thing only, which has no variance.
    """
    if len(one) < 2:
        raise DataError(f"VICReg compares two pairs or more, not {len(one)}; make the batch larger")
    weights = coefficients or Coefficients()
    return (
        weights.invariance * functional.mse_loss(one, other)
        + weights.variance * (_shortfall(one) + _shortfall(other)) / 2
        + weights.covariance * (_entanglement(one) + _entanglement(other))
    )


def vicreg_loss(
    one: Tensor, other: Tensor, *, coefficients: Coefficients, weight: float = 1.0
) -> Loss:
    """`weight` times the VICReg loss over the pairs of all ranks, as this rank's share of it.

    Every rank must call this, also without a pair. The value is that of all pairs together; its
    gradient is that of this rank's rows, so that the mean over ranks is the whole gradient. With
    fewer than two pairs in all there is no term: the count is 0.

    Args:
        one: (n, E) a view of the pairs of this rank.
        other: (n, E) the other view.
        coefficients: of the three terms.
        weight: of the whole.
    """
    mine = len(one)
    one, other = _of_all_ranks(one), _of_all_ranks(other)
    if mine == 0 or len(one) < 2:
        return Loss(one.new_zeros(()), 0)
    value = weight * vicreg(one, other, coefficients=coefficients)
    share = mine * value.detach()
    return Loss(share + len(one) * (value - value.detach()), mine)


def _shortfall(x: Tensor) -> Tensor:
    """How far standard deviations stay below one, on average."""
    return functional.relu(1 - torch.sqrt(x.var(dim=0) + STEADY)).mean()


def _entanglement(x: Tensor) -> Tensor:
    """Squared covariances off the diagonal, summed, over E."""
    centred = x - x.mean(dim=0)
    covariance = centred.T @ centred / (len(x) - 1)
    return (covariance.square().sum() - covariance.diagonal().square().sum()) / x.shape[1]


def _of_all_ranks(x: Tensor) -> Tensor:
    """The rows of all ranks in their order, (N, E); only this rank's carry gradients."""
    if not (dist.is_available() and dist.is_initialized()):
        return x
    size = torch.tensor([len(x)], device=x.device)
    sizes = [torch.zeros_like(size) for _ in range(dist.get_world_size())]
    dist.all_gather(sizes, size)
    longest = int(torch.cat(sizes).max())
    padded = functional.pad(x.detach(), (0, 0, 0, longest - len(x))).contiguous()
    found = [torch.empty_like(padded) for _ in sizes]
    dist.all_gather(found, padded)
    rows = [one[: int(count)] for one, count in zip(found, sizes, strict=True)]
    rows[dist.get_rank()] = x
    return torch.cat(rows)
