"""A look at cases: logits of a model in evaluation mode, and what they are worth."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn

from mmmed.batch import UNLABELLED, Batch
from mmmed.modality import Pattern
from mmmed.models.loss import labels
from mmmed.training.history import Look
from mmmed.training.loader import StepLoader, forced

Predict = Callable[[Batch], Tensor]
"""Batch -> logits (B, K): a model, or what stands in for it while an early phase runs."""


def look(
    model: nn.Module,
    predict: Predict,
    batches: Iterable[Batch],
    *,
    step: int,
    device: torch.device,
) -> Look:
    """The set prediction of labelled cases under what they show; leaves the model in eval mode."""
    model.eval()
    logits, label = _logits(predict, batches, device)
    known = label != UNLABELLED
    logits, label = logits[known], label[known]
    if len(label) == 0:
        return Look(step=step, loss=None, auroc=None)
    loss = torch.nn.functional.cross_entropy(logits, label)
    return Look(step=step, loss=float(loss), auroc=auroc(logits, label))


def training_auroc(
    model: nn.Module, predict: Predict, loader: StepLoader, *, device: torch.device
) -> dict[str, float | None]:
    """Modality -> AUROC of the training cases that show it, seen under it alone."""
    model.eval()
    found: dict[str, float | None] = {}
    for name in loader.shelf.names:
        views = forced(loader.shelf, loader.shown, Pattern.of([name]), batch=loader.size)
        if len(views):
            logits, label = _logits(predict, views, device)
            known = label != UNLABELLED
            found[name] = auroc(logits[known], label[known])
    return found


def auroc(logits: Tensor, label: Tensor) -> float | None:
    """AUROC of logits (n, K); with K > 2 the mean of each class against the rest.

    None where no class has cases on both sides, or a logit is not finite.
    """
    if not bool(torch.isfinite(logits).all()):
        return None
    scores = torch.softmax(logits.double(), dim=1).numpy()
    if scores.shape[1] == 2:
        scores = (logits[:, 1:] - logits[:, :1]).double().numpy()
    targets = [1] if scores.shape[1] == 1 else list(range(scores.shape[1]))
    truth = label.numpy()
    areas = [
        float(roc_auc_score(truth == target, scores[:, column]))
        for column, target in enumerate(targets)
        if 0 < int((truth == target).sum()) < len(truth)
    ]
    return float(np.mean(areas)) if areas else None


@torch.no_grad()
def _logits(
    predict: Predict, batches: Iterable[Batch], device: torch.device
) -> tuple[Tensor, Tensor]:
    """(n, K) and (n,), on the CPU; both empty where there is no batch."""
    logits, label = [], []
    for batch in batches:
        logits.append(predict(batch.to(device)).float().cpu())
        label.append(labels(batch))
    if not logits:
        return torch.zeros(0, 2), torch.zeros(0, dtype=torch.long)
    return torch.cat(logits), torch.cat(label)
