"""The grammar of tuning: `tune:` of a study.

trial   one choice of settings, trained with the whole budget of a job; the first one has the
        settings as they stand, so that tuning never knows less than not tuning
space   what the settings of the other trials are drawn from

Every method of a study gets the same number of trials.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, FiniteFloat, field_validator, model_validator

from mmmed.config import Spec

TUNABLE = ("learning_rate", "weight_decay", "warmup", "average")
"""Of `training:`; whatever else stands there is the budget, or says where a model is trained."""

Number = int | FiniteFloat


class Range(Spec):
    """Numbers between two bounds; whole numbers where both bounds are written as such.

    Attributes:
        low: the least.
        high: the greatest.
        scale: `log` draws the orders of magnitude alike.
    """

    low: Number
    high: Number
    scale: Literal["linear", "log"] = "linear"

    @property
    def whole(self) -> bool:
        """Whether whole numbers are drawn."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    @model_validator(mode="before")
    @classmethod
    def _is_no_level(cls, value: Any) -> Any:
        inner = next(iter(value), None) if isinstance(value, Mapping) else None
        if inner is not None and not {"low", "high"} & set(value):
            raise ValueError(f"has neither low nor high; write `<key>.{inner}: [...]` in one key")
        return value

    @model_validator(mode="after")
    def _is_a_range(self) -> Range:
        if self.low >= self.high:
            raise ValueError(f"low is {self.low}, which is not below high, {self.high}")
        if self.scale == "log" and self.low <= 0:
            raise ValueError(f"low is {self.low}; on a log scale it must be above 0")
        return self


Choices = Annotated[tuple[Any, ...], Field(min_length=1)]


class Tune(Spec):
    """How the settings of each method are chosen, inside each job, on its validation part.

    Attributes:
        trials: settings that are tried, those as they stand among them; each with all of
            `training.steps`.
        seed: of the draws alone.
        by: which figure of the validation part under the train protocol decides; ties go to the
            earlier trial.
        space: `training.<field>`, for every method, or `<name or kind of a method>.<option>` ->
            a list of choices, or a range.
    """

    trials: Annotated[int, Field(ge=2, le=1000)]
    seed: int = 0
    by: Literal["loss", "auroc"] = "loss"
    space: Annotated[dict[str, Choices | Range], Field(min_length=1)]

    @field_validator("space")
    @classmethod
    def _once(cls, space: dict[str, Any]) -> dict[str, Any]:
        for key, one in space.items():
            if isinstance(one, tuple) and any(value in one[:at] for at, value in enumerate(one)):
                raise ValueError(f"{key}: a choice of {list(one)} stands twice")
        return space
