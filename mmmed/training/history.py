"""What training leaves to be read: losses, looks at the validation part, what each path learned."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from torch import Tensor

from mmmed.errors import StudyError

HISTORY = "history.json"
WINDOW = 10
"""Steps whose mean loss is one entry of the history."""


@dataclass(frozen=True)
class Look:
    """The set prediction of the validation part after some steps of a phase.

    Attributes:
        step: steps done.
        loss: mean cross entropy of the labelled cases; None where there is none.
        auroc: of the set prediction; None where a class is missing.
    """

    step: int
    loss: float | None
    auroc: float | None


@dataclass
class PhaseHistory:
    """One phase.

    Attributes:
        name: of the phase.
        steps: steps it was given.
        losses: term -> its means over `WINDOW` steps each (the last over what was left); a step
            whose batch held nothing for a term is not counted.
        looks: at the validation part.
        kept: the step whose weights were kept; None while the phase runs.
        training_auroc: modality -> AUROC of the training cases seen under it alone, after the
            phase; None where a class is missing. A path near 0.5 has not been learned.
    """

    name: str
    steps: int
    losses: dict[str, list[float]] = field(default_factory=dict)
    looks: list[Look] = field(default_factory=list)
    kept: int | None = None
    training_auroc: dict[str, float | None] = field(default_factory=dict)


@dataclass
class History:
    """Every phase of one training, in order.

    Attributes:
        phases: what equal trainings have alike.
        seconds: phase -> wall time of all processes that trained; never alike, hence neither
            compared nor in `to_json`.
    """

    phases: list[PhaseHistory] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict, compare=False)

    def to_json(self) -> list[dict[str, Any]]:
        """The phases as plain values."""
        return [asdict(phase) for phase in self.phases]

    @classmethod
    def from_json(cls, value: list[dict[str, Any]]) -> History:
        """Back from `to_json`."""
        return cls(
            [
                PhaseHistory(**{**phase, "looks": [Look(**look) for look in phase["looks"]]})
                for phase in value
            ]
        )


class Window:
    """The terms of the last few steps, summed where they were computed.

    Attributes:
        last: term -> mean over the last window that was closed.
    """

    def __init__(self) -> None:
        self.last: dict[str, float] = {}
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}

    def add(self, terms: Mapping[str, Tensor]) -> None:
        """Add the terms of one turn."""
        for name, term in terms.items():
            self._sums[name] = self._sums[name] + term if name in self._sums else term
            self._counts[name] = self._counts.get(name, 0) + 1

    def close(self, step: int, phase: PhaseHistory) -> None:
        """After `step` steps write the means down, if a window or the phase ends here.

        Raises:
            StudyError: a term is no number any more.
        """
        if step % WINDOW and step < phase.steps:
            return
        self.last = {name: float(sum_) / self._counts[name] for name, sum_ in self._sums.items()}
        for name, mean in self.last.items():
            if not math.isfinite(mean):
                raise StudyError(
                    f"phase {phase.name}, step {step}: loss {name!r} is {mean}, training has "
                    "diverged; lower training.learning_rate"
                )
            phase.losses.setdefault(name, []).append(mean)
        self._sums, self._counts = {}, {}

    def state_dict(self) -> dict[str, Any]:
        """Enough to go on from."""
        return {"last": self.last, "sums": self._sums, "counts": self._counts}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a saved state."""
        self.last = dict(state["last"])
        self._sums, self._counts = dict(state["sums"]), dict(state["counts"])
