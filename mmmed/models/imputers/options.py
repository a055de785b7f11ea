"""What a study may say about an imputer: `imputer: {kind: regression}`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mmmed.config import Spec

Width = Annotated[int, Field(ge=1)]
Widths = Annotated[tuple[Width, ...], Field(min_length=1)]
Weight = Annotated[float, Field(ge=0)]


class Zero(Spec):
    """Zeros, in feature space."""

    kind: Literal["zero"]


class Mean(Spec):
    """The mean of the complete cases, in feature space."""

    kind: Literal["mean"]


class Knn(Spec):
    """The mean of the most similar complete cases, in feature space.

    Attributes:
        neighbours: how many are asked.
    """

    kind: Literal["knn"]
    neighbours: Annotated[int, Field(ge=1)] = 5


class Regression(Spec):
    """What is shown predicts what is absent, linearly, in feature space."""

    kind: Literal["regression"]


class Pix2Pix(Spec):
    """A conditional GAN on pairs of volumes.

    Attributes:
        widths: channels of the U-Net's levels.
        critic: channels of the PatchGAN.
        l1: weight of the L1 distance beside the GAN loss.
        shrink: voxels per axis that become one before translation.
        pairs: complete cases that a step learns from, at most.
        rate: learning rate, relative to the study's.
    """

    kind: Literal["pix2pix"]
    widths: Widths = (8, 16, 32)
    critic: Widths = (8, 16)
    l1: Weight = 100.0
    shrink: Annotated[int, Field(ge=1)] = 2
    pairs: Annotated[int, Field(ge=1)] = 4
    rate: Annotated[float, Field(gt=0)] = 0.5


class CycleGan(Spec):
    """Two translators that undo each other.

    Attributes:
        widths: channels of the generators on the way down.
        blocks: residual blocks of a generator.
        critic: channels of the PatchGANs.
        cycle: weight of each cycle.
        identity: weight of each identity, half of `cycle` in the paper.
        pool: made volumes that each discriminator's history holds; 0 keeps none.
        shrink: voxels per axis that become one before translation.
        pairs: complete cases that a step learns from, at most.
        rate: learning rate, relative to the study's.
    """

    kind: Literal["cyclegan"]
    widths: Widths = (8, 16)
    blocks: Annotated[int, Field(ge=0)] = 3
    critic: Widths = (8, 16)
    cycle: Weight = 10.0
    identity: Weight = 5.0
    pool: Annotated[int, Field(ge=0)] = 50
    shrink: Annotated[int, Field(ge=1)] = 2
    pairs: Annotated[int, Field(ge=1)] = 2
    rate: Annotated[float, Field(gt=0)] = 0.5


class Diffusion(Spec):
    """A volume drawn out of noise, with the other one beside it.

    Attributes:
        widths: channels of the denoisers' levels, multiples of 4.
        draws: steps from noise to a volume, equal parts of the 1000 levels of training.
        shrink: voxels per axis that become one before translation.
        pairs: complete cases that a step learns from, at most.
        rate: learning rate, relative to the study's.
    """

    kind: Literal["diffusion"]
    widths: Annotated[
        tuple[Annotated[int, Field(ge=4, multiple_of=4)], ...], Field(min_length=1)
    ] = (8, 16)
    draws: Literal[1, 2, 4, 5, 8, 10, 20, 25, 40, 50, 100] = 10
    shrink: Annotated[int, Field(ge=1)] = 3
    pairs: Annotated[int, Field(ge=1)] = 1
    rate: Annotated[float, Field(gt=0)] = 0.5


ImputerOptions = Annotated[
    Zero | Mean | Knn | Regression | Pix2Pix | CycleGan | Diffusion, Field(discriminator="kind")
]
