"""Logits of modality sets, mirrored items averaged in."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray

from mmmed.batch import ModalitySet, pack
from mmmed.models.contract import Model
from mmmed.transforms.augment import mirrored


def logits(
    model: Model,
    sets: Iterable[ModalitySet],
    *,
    mirror: Collection[str],
    batch: int,
    device: torch.device | str,
) -> NDArray[np.float64]:
    """Logits (n, K) of cases, in their order.

    A case that shows a modality of `mirror` is seen a second time, those items with left and
    right exchanged, and the two logits are averaged. With `batch` 1 nothing depends on the other
    cases.

    Raises:
        PresenceError: a case shows nothing, or a modality the model was not built for.
    """
    model.eval()
    rows = [
        batch_logits(model, chosen, mirror=mirror, device=device)
        for chosen in in_batches(sets, batch)
    ]
    return np.concatenate([np.zeros((0, model.classes)), *rows])


@torch.inference_mode()
def batch_logits(
    model: Model,
    sets: Sequence[ModalitySet],
    *,
    mirror: Collection[str],
    device: torch.device | str,
) -> NDArray[np.float64]:
    """Logits (n, K) of one forward pass of a model that is in evaluation mode.

    Raises:
        PresenceError: as for `logits`.
    """
    turned = [row for row, one in enumerate(sets) if any(name in mirror for name in one.items)]
    both = [*sets, *(_mirrored(sets[row], mirror) for row in turned)]
    names = [modality.name for modality in model.modalities]
    found = model(pack(both, modalities=names).to(device)).double().cpu().numpy()
    plain, second = found[: len(sets)], found[len(sets) :]
    plain[turned] = (plain[turned] + second) / 2
    return np.asarray(plain)


def both_ways(one: ModalitySet, mirror: Collection[str]) -> tuple[ModalitySet, ...]:
    """A case as it is and, where it shows a modality of `mirror`, a second time, mirrored."""
    turns = any(name in mirror for name in one.items)
    return (one, _mirrored(one, mirror)) if turns else (one,)


def in_batches(sets: Iterable[ModalitySet], size: int) -> Iterator[list[ModalitySet]]:
    """Sets as they come, at most `size` at a time; none is kept."""
    rest = iter(sets)
    while chosen := list(islice(rest, size)):
        yield chosen


def _mirrored(one: ModalitySet, mirror: Collection[str]) -> ModalitySet:
    items = {
        name: tuple(mirrored(item) for item in mine) if name in mirror else mine
        for name, mine in one.items.items()
    }
    return replace(one, items=items)
