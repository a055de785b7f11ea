"""What a study asks of its numbers, stated before they are seen."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mmmed.config import Spec
from mmmed.evaluation.bootstrap import Interval


class Plan(Spec):
    """The questions of a study.

    Attributes:
        against: the method that every other one is compared with; every pair where None.
        complete: what `train` says of models whose training hid nothing.
        margin: a method that loses less than this is no worse.
        alpha: chance of one false claim or more in a family of comparisons.
        power: at which the smallest difference the study could have seen is stated.
        interval: how subjects are drawn, and the level of every interval.
    """

    against: str | None = None
    complete: str = "complete"
    margin: Annotated[float, Field(gt=0)] = 0.02
    alpha: Annotated[float, Field(gt=0, lt=1)] = 0.05
    power: Annotated[float, Field(gt=0, lt=1)] = 0.8
    interval: Interval = Interval()
