"""Time of one training step of HyperMM, against the same backbone without a hypernetwork.

`python -m benchmarks hypermm-step` gives medians over interleaved steps on one thread, batch 16 of
1x40x48x48 volumes: `generate: last` and `all` (owed: 1.05 and 1.10) over two references, and a
batch in which half of the cases lack a PET over a complete one (owed: 0.80).

none    HyperMM with `generate: none`: the same extractor, losses and steps, no hypernetwork
plain   the nets of the late sum: no reconstruction either, and modality by modality, so that the
        activations of one are freed before those of the next are made
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

from mmmed.batch import Batch, ModalitySet, pack
from mmmed.modality import Modality
from mmmed.models.building import build, options
from mmmed.models.contract import Model

MODALITIES = tuple(Modality(name, "volume", (1, 40, 48, 48)) for name in ("mri", "pet"))
PLAIN, NONE = "late-sum", "generate: none"
MODELS = {
    PLAIN: ("late-sum", {}),
    NONE: ("hypermm", {"generate": "none"}),
    "generate: last": ("hypermm", {"generate": "last"}),
    "generate: all": ("hypermm", {"generate": "all"}),
}


def measure(*, count: int = 30, size: int = 16) -> dict[str, Any]:
    """Milliseconds of a step of each model, its ratios to both references and to a complete batch.

    Args:
        count: steps of each model.
        size: cases of the batch.
    """
    torch.set_num_threads(1)
    torch.manual_seed(0)
    complete, half = (batch(size, every=every) for every in (1, 2))
    steps = {
        name: stepper(build(options(kind)(**chosen), MODALITIES, classes=2, standards={}))
        for name, (kind, chosen) in MODELS.items()
    }
    whole, halved = (times(steps, one, count) for one in (complete, half))
    return {
        name: {
            "ms": round(1000 * statistics.median(whole[name]), 1),
            "over_none": ratio(whole[name], whole[NONE]),
            "over_plain": ratio(whole[name], whole[PLAIN]),
            "half_pet_over_complete": ratio(halved[name], whole[name]),
        }
        for name in steps
    }


def batch(size: int, *, every: int | None) -> Batch:
    """A batch in which every n-th case has a PET, or none has."""
    sets = []
    for row in range(size):
        items = {"mri": [torch.randn(1, 40, 48, 48)]}
        if every and row % every == 0:
            items["pet"] = [torch.randn(1, 40, 48, 48)]
        sets.append(ModalitySet(case=str(row), subject=str(row), items=items, label=row // 2 % 2))
    return pack(sets, modalities=[one.name for one in MODALITIES])


def stepper(model: Model) -> Callable[[Batch], None]:
    """One optimiser step of all turns of the first phase."""
    phase = model.phases(1)[0]
    model.train()
    optimisers = [torch.optim.AdamW(turn.parameters, lr=1e-3, fused=True) for turn in phase.turns]

    def step(batch: Batch) -> None:
        for turn, optimiser in zip(phase.turns, optimisers, strict=True):
            losses = turn.loss(batch).values()
            loss = torch.stack([one.sum / one.count for one in losses]).sum()
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()

    return step


def times(
    steps: dict[str, Callable[[Batch], None]], batch: Batch, count: int
) -> dict[str, list[float]]:
    """Seconds of each step, the models taking turns so that the machine's mood is shared."""
    found: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(count + 3):
        for name, step in steps.items():
            start = time.perf_counter()
            step(batch)
            if number >= 3:
                found[name].append(time.perf_counter() - start)
    return found


def ratio(over: list[float], under: list[float]) -> float:
    """The median of paired ratios."""
    return round(statistics.median(a / b for a, b in zip(over, under, strict=True)), 3)
