"""What a study asks of its numbers, stated before they are seen."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mmmed.config import Spec
from mmmed.evaluation.bootstrap import Interval


class Questions(Spec):
    """What a study may ask of its numbers in its YAML.

    Attributes:
        against: the method that every other one is compared with; every pair where None.
        margin: a method that loses less than this is no worse.
        alpha: chance of one false claim or more in a family of comparisons.
        power: at which the smallest difference the study could have seen is stated.
    """

    against: str | None = None
    margin: Annotated[float, Field(gt=0)] = 0.02
    alpha: Annotated[float, Field(gt=0, lt=1)] = 0.05
    power: Annotated[float, Field(gt=0, lt=1)] = 0.8


class Plan(Questions):
    """The questions of a study, and what answering them takes.

    Attributes:
        complete: what `train` says of models whose training hid nothing.
        interval: how subjects are drawn, and the level of every interval.
    """

    complete: str = "complete"
    interval: Interval = Interval()
