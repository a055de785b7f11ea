"""How many operations a training and a prediction take, as torch counts them.

operations  multiplications and additions of convolutions and matrix products, forward and backward;
            not what scikit-learn fits, what validation looks at, or what is fitted once before a
            phase
step        one in `EVERY` is taken again, on the very batch that the training met there

Counted on a copy of the trained model, so that neither its weights nor a generator feel it. Of
volumes that takes about as long as these few steps did.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from functools import partial

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from mmmed.batch import Batch
from mmmed.models.contract import Model, Phase, Turn
from mmmed.training.loader import StepLoader
from mmmed.training.settings import TrainingSpec

EVERY = 250
"""Steps of a phase for one that is counted: batches differ in what they show."""


def operations(work: Callable[[], object]) -> int:
    """Of one call; attention is computed in its plain form, whose products torch counts."""
    with FlopCounterMode(display=False) as counted, sdpa_kernel(SDPBackend.MATH):
        work()
    return int(counted.get_total_flops())


def training_operations(
    model: Model, loader: StepLoader, settings: TrainingSpec, *, steps: Mapping[str, int]
) -> dict[str, float]:
    """Phase -> operations of all its steps, and of what its cache holds.

    Args:
        model: trained, on the CPU.
        loader: the training batches it met.
        settings: the budget.
        steps: phase -> how many were taken; those it was given where a phase is not named.
    """
    model = copy.deepcopy(model)
    found: dict[str, float] = {}
    first = 0
    with torch.random.fork_rng(devices=[]):
        for phase in model.phases(settings.steps):
            found[phase.name] = _of_phase(
                model,
                phase,
                loader.under(phase.quota),
                first=first,
                taken=steps.get(phase.name, phase.steps),
                copies=settings.cached_copies if phase.augmented else 1,
            )
            first += phase.steps
    return found


def step_operations(model: Model, phase: Phase, batch: Batch) -> int:
    """Of every turn of a phase once, forward and backward, on a batch of images.

    Changes the modes and gradients of the model.
    """
    return _of_step(model, phase, _given(model, phase, batch))


def _of_phase(
    model: Model, phase: Phase, loader: StepLoader, *, first: int, taken: int, copies: int
) -> float:
    counted = range(0, taken, EVERY)
    if not counted:
        return 0.0
    total = filling = 0
    for step in counted:
        batch = loader.batch(first + step)
        if phase.cache is not None:
            filling += operations(partial(_given, model, phase, batch))
        total += _of_step(model, phase, _given(model, phase, batch))
    filled = copies * len(loader.cases) / loader.size
    return (total * taken + filling * filled) / len(counted)


@torch.no_grad()
def _given(model: Model, phase: Phase, batch: Batch) -> Batch:
    """What the turns of a phase receive."""
    if phase.cache is None:
        return batch
    model.eval().requires_grad_(False)  # torch follows gradients of a module's input without asking
    return phase.cache(batch)


def _of_step(model: Model, phase: Phase, batch: Batch) -> int:
    model.eval()
    for module in phase.learns:
        module.train()
    return sum(operations(partial(_take, model, turn, batch)) for turn in phase.turns)


def _take(model: Model, turn: Turn, batch: Batch) -> None:
    """Forward and backward of one turn; only what it trains gets a gradient."""
    mine = {id(parameter) for parameter in turn.parameters}
    for parameter in model.parameters():
        parameter.grad = None
        parameter.requires_grad_(id(parameter) in mine)
    losses = [one for one in turn.loss(batch).values() if one.count]
    if losses:
        torch.autograd.backward(torch.stack([one.sum / one.count for one in losses]).sum())
