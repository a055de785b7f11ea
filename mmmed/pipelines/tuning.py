"""The trials of a job: each trained with the whole budget, the best on validation kept.

A trial is a job of its own but for what follows training. Its folder `trials/<n>/` holds its
checkpoint, which stays when it has ended, and then `result.json`; so an interrupted job goes on
inside the trial where it stood. Of those that have ended only the best keeps its weights. When the
job is done `tuning.tsv` says what they came to, and the folder is gone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mmmed.errors import StudyError
from mmmed.models.contract import Phase
from mmmed.pipelines.trials import Trial
from mmmed.record import atomic
from mmmed.record.table import Cell
from mmmed.training import checkpoint
from mmmed.training.history import History, Look
from mmmed.training.launcher import leads
from mmmed.training.ranks import told

if TYPE_CHECKING:
    from mmmed.training.module import Report

TRIALS, RESULT, TUNING = "trials", "result.json", "tuning.tsv"


@dataclass(frozen=True)
class Result:
    """What a trial came to.

    Attributes:
        loss: mean cross entropy of the labelled validation cases under what they show; None where
            there is none.
        auroc: of the same; None where a class is missing.
        steps: that were trained, of all phases.
        seconds: of training.
        failed: why it could not be trained, as when its loss diverged.
    """

    loss: float | None = None
    auroc: float | None = None
    steps: int = 0
    seconds: float = 0.0
    failed: str | None = None

    @classmethod
    def of(cls, history: History, look: Look) -> Result:
        """Of a training that ended."""
        return cls(
            loss=look.loss if look.loss is not None and math.isfinite(look.loss) else None,
            auroc=look.auroc,
            steps=sum(phase.looks[-1].step for phase in history.phases if phase.looks),
            seconds=sum(history.seconds.values()),
        )


def try_all(
    trials: Sequence[Trial],
    folder: Path,
    attempt: Callable[[int, Path], Result],
    *,
    by: Literal["loss", "auroc"],
) -> tuple[Result, ...]:
    """What each trial came to; those that ended before an interruption are not trained again.

    Args:
        trials: in their order.
        folder: of the job.
        attempt: trains the trial of a number in a folder of its own, or goes on with it.
        by: what the best is chosen by.

    Raises:
        StudyError: none could be trained.
    """
    found: list[Result] = []
    for number in range(len(trials)):
        here = place(folder, number)
        found.append(told(partial(_ended, here)) or _attempted(attempt, number, here))
        if leads():
            for other in set(range(len(found))) - {best(found, by=by)}:
                checkpoint.remove(place(folder, other))
    if all(one.failed for one in found):
        raise StudyError(f"every trial failed; the first: {found[0].failed}")
    return tuple(found)


def place(folder: Path, number: int) -> Path:
    """The folder of one trial of a job."""
    return folder / TRIALS / str(number)


def best(results: Sequence[Result], *, by: Literal["loss", "auroc"]) -> int:
    """The number of the trial with the best figure; of equals the earlier one."""

    def worth(number: int) -> tuple[bool, bool, float]:
        one = results[number]
        figure = one.auroc if by == "auroc" else one.loss
        signed = 0.0 if figure is None else figure if by == "auroc" else -figure
        return one.failed is None, figure is not None, signed

    return max(range(len(results)), key=worth)


def rows(
    about: Mapping[str, str | int],
    trials: Sequence[Trial],
    results: Sequence[Result],
    *,
    chosen: int,
) -> list[dict[str, Cell]]:
    """The rows of `tuning.tsv`, one per trial.

    Args:
        about: what names the job.
        trials: of it.
        results: of them.
        chosen: the number of the best.
    """
    return [
        {
            **about,
            "trial": number,
            "settings": str(trial),
            **asdict(result),
            "chosen": "yes" if number == chosen else "no",
        }
        for number, (trial, result) in enumerate(zip(trials, results, strict=True))
    ]


class TrialReport:
    """Tells of a trial as a part of all trials: steps done of trials x steps.

    Args:
        report: hears it, as of one phase called `trials`.
        number: of the trial.
        trials: how many there are.
        phases: of its model.
    """

    def __init__(
        self, report: Report, *, number: int, trials: int, phases: Sequence[Phase]
    ) -> None:
        self._report = report
        self._each = sum(phase.steps for phase in phases)
        self._total = trials * self._each
        self._before = {
            phase.name: number * self._each + sum(one.steps for one in phases[:at])
            for at, phase in enumerate(phases)
        }

    def __call__(self, phase: str, step: int, steps: int, losses: Mapping[str, float]) -> None:  # noqa: ARG002
        """Called after every step of the trial."""
        self._report(TRIALS, self._before[phase] + step, self._total, losses)


def _ended(here: Path) -> Result | None:
    path = here / RESULT
    return Result(**atomic.read_json(path)) if path.exists() else None


def _attempted(attempt: Callable[[int, Path], Result], number: int, here: Path) -> Result:
    """A trial that has not ended yet; settings under which nothing can be learned are a result."""
    try:
        found = attempt(number, here)
    except StudyError as error:
        found = Result(failed=str(error).splitlines()[0])
    if leads():
        atomic.write_json(here / RESULT, asdict(found))
    return found
