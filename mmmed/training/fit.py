"""Training: the phases of a model one after the other, resumable at every step.

A checkpoint in the job's folder says where training stands. A phase ends by writing the
checkpoint that the next one starts from, so that a kill between them costs nothing.

Several devices are several ranks: processes started here, or by a launcher that started this one.
"""

from __future__ import annotations

import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.pytorch import Trainer
from lightning.pytorch.strategies import DDPStrategy, Strategy
from torch.multiprocessing.spawn import ProcessRaisedException

from mmmed.errors import RanksError
from mmmed.models.contract import Model
from mmmed.record import atomic
from mmmed.training import checkpoint
from mmmed.training.checkpoint import Checkpoint
from mmmed.training.device import place
from mmmed.training.history import HISTORY, History
from mmmed.training.interrupt import Interrupt
from mmmed.training.launcher import leads, starts_ranks
from mmmed.training.loader import StepLoader, Views
from mmmed.training.module import PhaseModule, Plan, Report
from mmmed.training.quiet import be_quiet
from mmmed.training.ranks import environment, together, told
from mmmed.training.settings import TrainingSpec


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
    training is part of is done. Of several ranks that a launcher started all call this; the first
    reads and writes the folder and tells the others.

    Args:
        model: freshly built, from the same seed at every call.
        loader: training batches by step.
        validation: the validation part under what it shows; it is looked at, never learned from.
        settings: the budget.
        seed: of the job.
        folder: where the checkpoint and `history.json` go.
        device: where the model computes, as `mmmed.training.device` names it.
        report: told of every step. Where ranks are started here it travels to the first of them,
            and what it remembers stays there.

    Raises:
        KeyboardInterrupt: SIGINT or SIGTERM came; the checkpoint is written.
        RanksError: this rank, of those a launcher started, cannot train on.
        RunError: the checkpoint in `folder` is of another training.
        StudyError: there is no such device, or the training cases cannot teach the model.
    """
    model.require_teachable(loader.shown.values())
    be_quiet()
    torch.set_num_threads(settings.threads)
    plan = Plan(loader, validation, settings, seed, folder, report)
    phases = model.phases(settings.steps)
    identity = {
        "seed": seed,
        "settings": settings.model_dump(mode="json"),
        "phases": [phase.name for phase in phases],
    }
    state = _saved(folder, identity) or Checkpoint(
        identity=identity, phase=0, step=0, model=model.state_dict(), running={}, history=[]
    )
    with together():
        while state.phase < len(phases):
            model.load_state_dict(state.model)
            first = sum(phase.steps for phase in phases[: state.phase])
            state = _run_phase(PhaseModule(model, plan, state, first=first), device=device)
    model.cpu().eval().load_state_dict(state.model)
    history = History.from_json(state.history)
    history.seconds.update(state.seconds)
    if leads():
        atomic.write_json(folder / HISTORY, history.to_json())
    return history


def _saved(folder: Path, identity: Mapping[str, Any], *, stop: bool = False) -> Checkpoint | None:
    """The checkpoint of a folder, as the first rank reads it; None where that is to stop.

    Raises:
        RanksError: the first rank trains another job.
        RunError: the checkpoint is of another training.
    """
    name, state, stops = told(
        lambda: (folder.name, checkpoint.load(folder, identity=identity), stop)
    )
    if name != folder.name:
        raise RanksError(
            f"this rank came to train {folder.name} where the first rank trains {name}: their "
            "data, files or versions differ; make them the same and go on with --resume"
        )
    return None if stops else state


def _run_phase(module: PhaseModule, *, device: str) -> Checkpoint:
    """Where training stands after the phase.

    Raises:
        KeyboardInterrupt: the phase was asked to stop.
    """
    plan = module.plan
    trainer = _trainer(plan.settings, plan.folder, device=device)
    waiting = Interrupt(tell=lambda: _stop_ranks(trainer))
    try:
        if starts_ranks(plan.settings):
            waiting.listen()
        trainer.fit(module)
    except (Exception, SystemExit) as error:
        # Lightning makes an exit of an interrupt; ranks that had not begun end by the signal
        if waiting.asked or isinstance(error, SystemExit):
            raise KeyboardInterrupt from error
        if isinstance(error, ProcessRaisedException):
            raise RuntimeError(_in_one_line(error)) from error  # noqa: TRY004 - of any type there
        raise
    finally:
        module.interrupt.restore()
        waiting.restore()
    stop = module.interrupt.asked or waiting.asked
    state = _saved(plan.folder, module.start.identity, stop=stop)
    if state is None or state.phase == module.start.phase:
        raise KeyboardInterrupt
    return state


def _trainer(settings: TrainingSpec, folder: Path, *, device: str) -> Trainer:
    """Lightning's loop and nothing else of it: batches, logs and checkpoints are ours."""
    where = place(device, count=settings.devices, precision=settings.precision)
    found = environment() or (LightningEnvironment() if starts_ranks(settings) else None)
    return Trainer(
        accelerator=where.accelerator,
        devices=where.devices,
        num_nodes=settings.nodes,
        strategy=_strategy(settings),
        plugins=None if found is None else [found],
        precision=settings.precision,
        max_epochs=1,
        barebones=True,
        default_root_dir=folder,
    )


def _in_one_line(error: ProcessRaisedException) -> str:
    """What a rank raised; torch puts the traceback of its process before it."""
    return f"rank {error.error_index}: {str(error).rstrip().splitlines()[-1]}"


def _stop_ranks(trainer: Trainer) -> None:
    """Pass a signal on to the processes that were started here."""
    launcher = trainer.strategy.launcher
    if launcher is not None:
        launcher.kill(signal.SIGTERM)


def _strategy(settings: TrainingSpec) -> Strategy | str:
    """One process, or DDP: by processes started here, or by those Slurm or torchrun started."""
    if settings.ranks == 1:
        return "auto"
    return DDPStrategy(
        start_method="spawn" if starts_ranks(settings) else "popen", find_unused_parameters=True
    )
