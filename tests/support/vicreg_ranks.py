"""VICReg on one rank of several: a module that a spawned process can import."""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor

from mmmed.models.joint_embedding.vicreg import Coefficients, vicreg_loss

RANKS = 2


def pairs() -> tuple[Tensor, Tensor]:
    """Five pairs of three entries."""
    random = torch.Generator().manual_seed(5)
    return torch.randn(5, 3, generator=random), torch.randn(5, 3, generator=random)


def run_rank(rank: int, sizes: tuple[int, ...], folder: str) -> None:
    """Leave the loss and its gradients of a rank's share of the pairs in a folder."""
    torch.set_num_threads(1)
    store = dist.FileStore(f"{folder}/store", RANKS)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=RANKS)
    start = sum(sizes[:rank])
    one, other = (each[start : start + sizes[rank]].requires_grad_() for each in pairs())
    found = vicreg_loss(one, other, coefficients=Coefficients())
    if found.count:
        found.sum.backward()
    grads = [torch.zeros_like(each) if each.grad is None else each.grad for each in (one, other)]
    torch.save((found.sum.detach(), found.count, *grads), f"{folder}/{rank}.pt")
    dist.destroy_process_group()
