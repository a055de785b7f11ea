"""The budget of training: `training:` of a study, the same for every method it compares."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mmmed.config import Spec

Precision = Literal["32-true", "bf16-mixed", "16-mixed"]


class TrainingSpec(Spec):
    """How long and how training goes.

    The default trains to the end and keeps the last weights: an image path may stay near chance
    for hundreds of steps and then rise, and a few dozen validation cases are too noisy a judge.

    Attributes:
        steps: optimiser steps of a method's longest phase.
        batch: cases per step, over all devices.
        threads: torch threads of one process; results are bit-exact for one value of it.
        learning_rate: the peak of the one-cycle schedule of every phase.
        weight_decay: decoupled (AdamW), on weights of two or more dimensions.
        warmup: share of a phase in which the learning rate rises.
        check_every: steps between two looks at the validation part.
        patience: looks without a better figure after which a phase ends, its best weights kept;
            None trains to the end and keeps the last weights.
        average: decay per step of a moving average of the weights, which then is what is
            validated and kept; None keeps the weights themselves.
        cached_copies: augmented copies of each case that a phase behind frozen parts draws from.
        precision: as Lightning names it; mixed precision is for devices that compute in it.
        devices: processes per node, each with its device.
        nodes: machines, started by Slurm or torchrun.
        checkpoint_every: steps between two checkpoints.
    """

    steps: Annotated[int, Field(ge=1)] = 1000
    batch: Annotated[int, Field(ge=1)] = 16
    threads: Annotated[int, Field(ge=1)] = 1
    learning_rate: Annotated[float, Field(gt=0)] = 2e-3
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    warmup: Annotated[float, Field(gt=0, lt=1)] = 0.2
    check_every: Annotated[int, Field(ge=1)] = 100
    patience: Annotated[int, Field(ge=1)] | None = None
    average: Annotated[float, Field(gt=0, lt=1)] | None = None
    cached_copies: Annotated[int, Field(ge=1)] = 4
    precision: Precision = "32-true"
    devices: Annotated[int, Field(ge=1)] = 1
    nodes: Annotated[int, Field(ge=1)] = 1
    checkpoint_every: Annotated[int, Field(ge=1)] = 100

    @property
    def ranks(self) -> int:
        """Processes that train one model together."""
        return self.devices * self.nodes

    @model_validator(mode="after")
    def _each_device_has_cases(self) -> TrainingSpec:
        if self.batch < self.ranks:
            raise ValueError(
                f"a batch of {self.batch} is less than one case per device; set batch to "
                f"{self.ranks} or more"
            )
        return self
