"""Haematoxylin and eosin in optical density, and their random change.

density     OD = -ln(value), value in 0..1, so that what two stains absorb adds up
stain       how much of one there is at a pixel: OD = stains @ STAINS

    I' = I exp(-((scale - 1) * stains + shift) @ STAINS)

The change is multiplied onto what is there, so that none leaves every value as it is, and what is
darker than `DARKEST` stays dark. Results are held to 0..1, as a camera's are.

Source: Ruifrok, Johnston: Quantification of histochemical staining by color deconvolution, 2001,
Analytical and Quantitative Cytology and Histology 23 (the vectors); Tellez et al., 2018, doi
10.1109/TMI.2018.2820199 (a factor and a shift per stain). Scale and shift are drawn from normal
distributions here, like the other augmentations.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from mmmed.transforms.augmentation import Stain
from mmmed.transforms.colours import Colours

STAINS = ((0.650, 0.704, 0.286), (0.072, 0.990, 0.105), (0.268, 0.570, 0.776))
"""What a unit of haematoxylin, of eosin and of a third colour absorbs of red, green and blue.

The third is the published one of DAB: in tissue with two stains it takes up what they leave over.
"""

DARKEST = 1 / 255
"""The least value whose density is told apart: the darkest but black of eight bits."""


def stained(item: Tensor, step: Stain, *, colours: Colours, random: Generator) -> Tensor:
    """An image (3, H, W) as normalised, with other amounts of stain."""
    scale = 1 + step.scale * torch.randn(3, generator=random)
    shift = step.shift * torch.randn(3, generator=random)
    mean, sd = (torch.tensor(one).view(3, 1, 1) for one in (colours.mean, colours.sd))
    value = item * sd + mean
    return (restained(value, scale=scale, shift=shift) - mean) / sd


def restained(value: Tensor, *, scale: Tensor, shift: Tensor) -> Tensor:
    """The change that the formula above states.

    Args:
        value: (3, H, W) in 0..1; what is resampled may leave it by rounding.
        scale: (3,) factor of each stain.
        shift: (3,) added to each stain.
    """
    absorbed = torch.tensor(STAINS, dtype=value.dtype)
    density = -value.clamp(DARKEST, 1).log()
    amounts = torch.einsum("chw,cs->shw", density, torch.linalg.inv(absorbed))
    more = (scale.to(value) - 1).view(3, 1, 1) * amounts + shift.to(value).view(3, 1, 1)
    return (value * (-torch.einsum("shw,sc->chw", more, absorbed)).exp()).clamp(0, 1)
