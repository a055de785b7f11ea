"""The closed vocabulary of steps that augment an item: random, keyed by a seed, its shape kept.

Axes of a volume are those of canonical RAS orientation: 0 left-right, 1 back-front, 2 down-up.
Those of an image are 0 up-down (its rows), 1 left-right; its pixels are called voxels as well.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mmmed.config import Spec

Probability = Annotated[float, Field(ge=0, le=1)]


class Flip(Spec):
    """Mirrors along one axis.

    Attributes:
        axis: left and right change places, or above and below.
        probability: with which it happens.
    """

    kind: Literal["flip"]
    axis: Literal["left-right", "up-down"] = "left-right"
    probability: Probability = 0.5


class Roll(Spec):
    """Shifts along each axis by a whole number of voxels; what leaves enters on the other side.

    Attributes:
        voxels: the largest shift.
    """

    kind: Literal["roll"]
    voxels: Annotated[int, Field(ge=1, le=16)] = 1


class QuarterTurns(Spec):
    """Turns a square image by 0, 1, 2 or 3 quarters, each with the same chance."""

    kind: Literal["quarter-turns"]


class Gain(Spec):
    """Multiplies by a factor drawn from N(1, sd)."""

    kind: Literal["gain"]
    sd: Annotated[float, Field(gt=0, le=1)] = 0.05


class Offset(Spec):
    """Adds a value drawn from N(0, sd)."""

    kind: Literal["offset"]
    sd: Annotated[float, Field(gt=0)] = 0.05


class Noise(Spec):
    """Adds white noise from N(0, sd) to every voxel or entry."""

    kind: Literal["noise"]
    sd: Annotated[float, Field(gt=0)] = 0.05


class Stain(Spec):
    """Changes how much haematoxylin and eosin an image shows, in optical density.

    What the two leave over is a third colour, which changes like them. The step needs to know the
    colours: `colour: {to: rgb}` in `prepare` and no other change of values than `normalise`, which
    is undone for it; steps that change values stand after it.

    Attributes:
        scale: each stain is multiplied by a factor drawn from N(1, scale).
        shift: to each stain is added an amount drawn from N(0, shift): of 0.05, light that falls
            by a twentieth.
    """

    kind: Literal["stain"]
    scale: Annotated[float, Field(ge=0, le=1)] = 0.05
    shift: Annotated[float, Field(ge=0, le=1)] = 0.05


AugmentStep = Flip | QuarterTurns | Roll | Gain | Offset | Noise | Stain
SPATIAL = (Flip, QuarterTurns, Roll)
"""Steps that need space; a vector has none."""
