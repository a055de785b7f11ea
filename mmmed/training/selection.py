"""Which weights of a phase are kept: the last, or the best of those the validation part saw."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from torch import Tensor, nn

from mmmed.training.history import Look


class Selection:
    """Remembers the best weights, and how many looks ago they were met.

    Args:
        patience: looks without a better figure that end the phase; None remembers nothing.
        figure: `loss` (lower is better) or `auroc`.
    """

    def __init__(self, patience: int | None, figure: Literal["loss", "auroc"]) -> None:
        self._patience = patience
        self._figure: Literal["loss", "auroc"] = figure
        self.step: int | None = None
        self.weights: dict[str, Tensor] | None = None
        self._value: float | None = None
        self._waited = 0

    @property
    def is_over(self) -> bool:
        """Whether patience has run out."""
        return self._patience is not None and self._waited >= self._patience

    def offer(self, look: Look, model: nn.Module) -> None:
        """Consider the weights that a look was taken at; an undefined figure is never better."""
        if self._patience is None:
            return
        self._waited += 1
        value = look.auroc if self._figure == "auroc" else look.loss
        if value is None or value != value:
            return
        value = value if self._figure == "auroc" else -value
        if self._value is None or value > self._value:
            self._value, self._waited, self.step = value, 0, look.step
            self.weights = {name: one.clone() for name, one in model.state_dict().items()}

    def state_dict(self) -> dict[str, Any]:
        """Enough to go on from."""
        return {
            "step": self.step,
            "weights": self.weights,
            "value": self._value,
            "waited": self._waited,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a saved state."""
        self.step, self.weights = state["step"], state["weights"]
        self._value, self._waited = state["value"], state["waited"]
