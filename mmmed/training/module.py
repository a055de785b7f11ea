"""One phase of a model as Lightning runs it: a range of steps, manual optimisation, own state.

Lightning brings devices, ranks and mixed precision. Batches, the order of turns, randomness and
checkpoints are here, because Lightning restores no generator.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from lightning.pytorch import LightningModule

from mmmed.batch import Batch
from mmmed.models.contract import Model, Phase, Turn
from mmmed.training import cached, checkpoint
from mmmed.training.average import Average
from mmmed.training.checkpoint import Checkpoint
from mmmed.training.clock import Clock
from mmmed.training.history import History, PhaseHistory, Window
from mmmed.training.interrupt import Interrupt
from mmmed.training.loader import StepLoader, Views
from mmmed.training.look import look, training_auroc
from mmmed.training.objective import objective
from mmmed.training.optimisation import optimiser, schedule
from mmmed.training.quiet import be_quiet
from mmmed.training.randomness import seed_all
from mmmed.training.selection import Selection
from mmmed.training.settings import TrainingSpec

Report = Callable[[str, int, int, Mapping[str, float]], None]
"""Called after every step: phase, steps done, steps in all, mean losses of the last window."""


Fit = Callable[[Iterable[Batch], Collection[str]], None]
"""`Phase.fit`: training batches as they are, and everyone in the training part."""


class Batches(Protocol):
    """Training batches by step."""

    def batch(self, t: int, *, rank: int = 0, ranks: int = 1) -> Batch:
        """The batch of step `t`, or one rank's share of it."""
        ...


@dataclass(frozen=True)
class Plan:
    """What stays the same over all phases of a training.

    Attributes:
        loader: training batches by step.
        validation: the validation part under what it shows.
        settings: the budget.
        seed: of the job.
        folder: of its checkpoints.
        report: told of every step, by the first rank alone; None where nobody listens.
    """

    loader: StepLoader
    validation: Views
    settings: TrainingSpec
    seed: int
    folder: Path
    report: Report | None = None


class PhaseModule(LightningModule):
    """Trains one phase, from where a checkpoint stands to its end.

    At the end it writes the checkpoint that the next phase starts from.

    Args:
        model: holds the weights of `start` already.
        plan: what all phases share.
        start: where the training stands.
        first: steps of all earlier phases; batches are numbered through.
    """

    def __init__(self, model: Model, plan: Plan, start: Checkpoint, *, first: int) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.model = model
        self.plan = plan
        self.start = start
        self.first = first
        self.done = start.step
        self.history = History.from_json(start.history)
        self.window = Window()
        self.clock = Clock(start.seconds)
        self.interrupt = Interrupt()

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Arrive in a process that was started to train.

        Torch hands tensors over in memory that all ranks share, optimisers go on in what they
        load: without a copy of its own each rank would move the state of every other.
        """
        be_quiet()
        super().__setstate__({**state, "start": copy.deepcopy(state["start"])})  # type: ignore[no-untyped-call]

    def setup(self, stage: str) -> None:  # noqa: ARG002 - Lightning's signature
        """Find the phase; the model is on the CPU still."""
        settings = self.plan.settings
        torch.set_num_threads(settings.threads)
        self.phase = self.model.phases(settings.steps)[self.start.phase]
        self.selection = _selection(settings, self.phase)
        if len(self.history.phases) == self.start.phase:
            self.history.phases.append(PhaseHistory(self.phase.name, self.phase.steps))

    def configure_optimizers(self) -> Any:
        """One optimiser and one schedule per turn."""
        settings = self.plan.settings
        optimisers = [optimiser(turn, settings) for turn in self.phase.turns]
        schedules = [
            schedule(one, self.phase, turn, settings)
            for one, turn in zip(optimisers, self.phase.turns, strict=True)
        ]
        return optimisers, schedules

    def on_fit_start(self) -> None:
        """Listen, fit, fill the cache and go on from what was saved; weights are on the device."""
        self.interrupt.listen()
        self.clock.start()
        if self.phase.fit is not None and not self.start.running:
            self._fit(self.phase.fit)
        decay = self.plan.settings.average
        self.average = None if decay is None else Average(self.model, decay)
        self.batches = self._batches()
        if self.start.running:
            self._restore(self.start.running)
            self.clock.start()
        self.train()  # Lightning warns of frozen parts; every step sets the modes anyway

    def train_dataloader(self) -> range:
        """The steps that are left, as numbers; `training_step` makes the batch itself."""
        return range(self.start.step, self.phase.steps)

    def on_train_start(self) -> None:
        """Listen again: Lightning has put its own handlers in front."""
        self.interrupt.listen()

    def training_step(self, step: int) -> None:
        """Every turn of the phase once, on the batch of one step."""
        rank, ranks = self.global_rank, self.trainer.world_size
        batch = self.batches.batch(self.first + step, rank=rank, ranks=ranks).to(self.device)
        seed_all(self.plan.seed, self._stream, step)
        self._set_modes()
        stops = [self._take_turn(place, batch) for place in range(len(self.phase.turns))]
        self.done = step + 1
        if self.average is not None:
            self.average.update(self.model, step)
        self.window.close(self.done, self.history.phases[-1])
        self._after_step(stop=any(stops))

    def on_train_end(self) -> None:
        """When the phase is over, keep the chosen weights, see what they learned, and save."""
        self.model.requires_grad_(True)
        if not self._is_over:
            return
        mine = self.history.phases[-1]
        mine.kept = self._keep()
        if self.trainer.is_global_zero:
            predict = self.phase.predict or self.model
            mine.training_auroc = training_auroc(
                self.model, predict, self.plan.loader, device=self.device
            )
        self._save(phase=self.start.phase + 1, step=0, running={})

    @property
    def _is_over(self) -> bool:
        return self.done >= self.phase.steps or self.selection.is_over

    @property
    def _stream(self) -> str:
        """What a step's randomness is keyed by: ranks must not draw alike."""
        rank = self.global_rank
        return self.phase.name if rank == 0 else f"{self.phase.name} rank {rank}"

    @torch.no_grad()
    def _fit(self, fit: Fit) -> None:
        """Learn without gradients from every training case once, as it is."""
        loader = self.plan.loader
        views = Views(loader.shelf, loader.shown, batch=loader.size)
        seed_all(self.plan.seed, f"{self._stream} fit", 0)
        self.model.eval()
        fit((batch.to(self.device) for batch in views), loader.subjects)

    def _batches(self) -> Batches:
        loader = self.plan.loader.under(self.phase.quota)
        if self.phase.cache is None:
            return loader
        self.model.eval()
        copies = self.plan.settings.cached_copies if self.phase.augmented else None
        return cached.fill(loader, self.phase.cache, copies=copies, device=self.device)

    def _set_modes(self) -> None:
        self.model.eval()
        for module in self.phase.learns:
            module.train()

    def _take_turn(self, place: int, batch: Batch) -> bool:
        """One optimiser step; returns whether any rank asks to stop."""
        turn = self.phase.turns[place]
        self._let_learn(turn)
        found = objective(turn.loss(batch), turn.parameters, stop=self.interrupt.asked)
        optimizer = _listed(self.optimizers())[place]
        optimizer.zero_grad()
        if found.value is not None:
            self.manual_backward(found.value)
        optimizer.step()  # moves nothing that has no gradient
        _listed(self.lr_schedulers())[place].step()
        self.window.add(found.terms)
        return found.stop

    def _let_learn(self, turn: Turn) -> None:
        mine = {id(parameter) for parameter in turn.parameters}
        for parameter in self.model.parameters():
            parameter.requires_grad_(id(parameter) in mine)

    def _after_step(self, *, stop: bool) -> None:
        settings = self.plan.settings
        if self.done % settings.check_every == 0 or self.done == self.phase.steps:
            self._look()
        if stop or self.selection.is_over:
            self.trainer.should_stop = True
        if not self._is_over and (stop or self.done % settings.checkpoint_every == 0):
            self._save(phase=self.start.phase, step=self.done, running=self._running())
        if self.plan.report is not None and self.trainer.is_global_zero:
            self.plan.report(self.phase.name, self.done, self.phase.steps, self.window.last)

    def _look(self) -> None:
        with self._averaged():
            found = look(
                self.model,
                self.phase.predict or self.model,
                self.plan.validation,
                step=self.done,
                device=self.device,
            )
            found = self.trainer.strategy.broadcast(found)  # ranks must choose alike
            self.selection.offer(found, self.model)
        self.history.phases[-1].looks.append(found)

    def _averaged(self) -> AbstractContextManager[None]:
        return nullcontext() if self.average is None else self.average.applied(self.model)

    def _keep(self) -> int:
        """Load the weights that are kept; the step they are of."""
        if self.selection.weights is not None and self.selection.step is not None:
            self.model.load_state_dict(self.selection.weights)
            return self.selection.step
        if self.average is not None:
            self.model.load_state_dict(self.average.state)
        return self.done

    def _running(self) -> dict[str, Any]:
        return {
            "optimisers": [one.optimizer.state_dict() for one in _listed(self.optimizers())],
            "schedules": [one.state_dict() for one in _listed(self.lr_schedulers())],
            "precision": self.trainer.precision_plugin.state_dict(),
            "average": None if self.average is None else self.average.state,
            "selection": self.selection.state_dict(),
            "window": self.window.state_dict(),
        }

    def _restore(self, running: Mapping[str, Any]) -> None:
        for one, state in zip(_listed(self.optimizers()), running["optimisers"], strict=True):
            one.optimizer.load_state_dict(state)
        for one, state in zip(_listed(self.lr_schedulers()), running["schedules"], strict=True):
            one.load_state_dict(state)
        self.trainer.precision_plugin.load_state_dict(running["precision"])
        if self.average is not None:
            self.average.load(running["average"])
        self.selection.load_state_dict(running["selection"])
        self.window.load_state_dict(running["window"])

    def _save(self, *, phase: int, step: int, running: Mapping[str, Any]) -> None:
        if not self.trainer.is_global_zero:
            return
        state = Checkpoint(
            identity=self.start.identity,
            phase=phase,
            step=step,
            model=self.model.state_dict(),
            running=running,
            history=self.history.to_json(),
            seconds=self.clock.lap(self.phase.name),
        )
        checkpoint.save(self.plan.folder, state)


def _selection(settings: TrainingSpec, phase: Phase) -> Selection:
    """What chooses the weights of a phase; nothing does where the phase asks for the last."""
    if phase.select == "last":
        return Selection(None, "loss")
    return Selection(settings.patience, phase.select)


def _listed(one_or_more: Any) -> list[Any]:
    """What Lightning gives back bare where there is only one."""
    return one_or_more if isinstance(one_or_more, list) else [one_or_more]
