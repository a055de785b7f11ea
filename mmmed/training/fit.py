"""Training: the phases of a model one after the other, resumable at every step.

A checkpoint in the job's folder says where training stands. A phase ends by writing the
checkpoint that the next one starts from, so that a kill between them costs nothing.
"""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import torch
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning.pytorch import Trainer
from lightning.pytorch.strategies import DDPStrategy, Strategy

from mmmed.models.contract import Model
from mmmed.record import atomic
from mmmed.training import checkpoint
from mmmed.training.checkpoint import Checkpoint
from mmmed.training.device import place
from mmmed.training.history import History
from mmmed.training.loader import StepLoader, Views
from mmmed.training.module import PhaseModule, Plan, Report
from mmmed.training.settings import TrainingSpec

HISTORY = "history.json"


def fit(
    model: Model,
    loader: StepLoader,
    validation: Views,
    *,
    settings: TrainingSpec,
    seed: int,
    folder: Path,
    device: str = "auto",
    report: Report | None = None,
) -> History:
    """Train a model through all its phases; it is on the CPU and in evaluation mode after.

    With a checkpoint in `folder` training goes on from there, and ends with the same bits as if
    it had never been interrupted. The checkpoint stays: `checkpoint.remove` it when the job that
    training is part of is done. With several devices nothing is reported.

    Args:
        model: freshly built, from the same seed at every call.
        loader: training batches by step.
        validation: the validation part under what it shows; it is looked at, never learned from.
        settings: the budget.
        seed: of the job.
        folder: where the checkpoint and `history.json` go.
        device: where the model computes, as `mmmed.training.device` names it.
        report: told of every step.

    Raises:
        KeyboardInterrupt: SIGINT or SIGTERM came; the checkpoint is written.
        RunError: the checkpoint in `folder` is of another training.
        StudyError: there is no such device, or the training cases cannot teach the model.
    """
    model.require_teachable(loader.shown.values())
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    torch.set_num_threads(settings.threads)
    alone = settings.devices * settings.nodes == 1
    plan = Plan(loader, validation, settings, seed, folder, report if alone else None)
    phases = model.phases(settings.steps)
    identity = {
        "seed": seed,
        "settings": settings.model_dump(mode="json"),
        "phases": [phase.name for phase in phases],
    }
    state = checkpoint.load(folder, identity=identity) or Checkpoint(
        identity=identity, phase=0, step=0, model=model.state_dict(), running={}, history=[]
    )
    while state.phase < len(phases):
        model.load_state_dict(state.model)
        first = sum(phase.steps for phase in phases[: state.phase])
        state = _run_phase(PhaseModule(model, plan, state, first=first), device=device)
    model.cpu().eval().load_state_dict(state.model)
    history = History.from_json(state.history)
    history.seconds.update(state.seconds)
    atomic.write_json(folder / HISTORY, history.to_json())
    return history


def _run_phase(module: PhaseModule, *, device: str) -> Checkpoint:
    """Where training stands after the phase.

    Raises:
        KeyboardInterrupt: the phase was asked to stop.
    """
    plan = module.plan
    where = place(device, count=plan.settings.devices)
    trainer = Trainer(
        accelerator=where.accelerator,
        devices=where.devices,
        num_nodes=plan.settings.nodes,
        strategy=_strategy(plan.settings),
        precision=plan.settings.precision,
        max_epochs=1,
        barebones=True,
        default_root_dir=plan.folder,
    )
    try:
        with warnings.catch_warnings():
            # Lightning calls what torch has deprecated; nothing a user could change
            warnings.filterwarnings("ignore", message=".*LeafSpec", category=FutureWarning)
            trainer.fit(module)
    finally:
        module.interrupt.restore()
    state = checkpoint.load(plan.folder, identity=module.start.identity)
    if state is None or state.phase == module.start.phase or module.interrupt.asked:
        raise KeyboardInterrupt
    return state


def _strategy(settings: TrainingSpec) -> Strategy | str:
    """One process, or DDP: by processes started here, or by those Slurm or torchrun started."""
    if settings.devices * settings.nodes == 1:
        return "auto"
    is_launched = SLURMEnvironment.detect() or TorchElasticEnvironment.detect()
    return DDPStrategy(
        start_method="popen" if is_launched else "spawn", find_unused_parameters=True
    )
