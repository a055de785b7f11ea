"""VGG11's convolutional part, under torchvision's names.

Simonyan, Zisserman: Very Deep Convolutional Networks for Large-Scale Image Recognition, ICLR 2015,
arXiv 1409.1556 (configuration A). Eight 3-wide convolutions with bias, a ReLU after each, five
max-pools by 2: neither batch norm nor dropout, so it is the same in training and evaluation.

The state dict has torchvision's names, `features.0.weight` to `features.18.bias`, so that its
public file can be loaded; that file's `classifier.*` is left out.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

CHANNELS = 512
"""Of the last map."""

REDUCTION = 32
"""Five max-pools by 2: how much narrower the last map is than the image."""

FILE = "vgg11-8a719046.pth"
"""Torchvision's file of ImageNet weights."""

MEAN = (0.485, 0.456, 0.406)
SCALE = (0.229, 0.224, 0.225)
"""Of ImageNet's red, green and blue in 0..1, which the weights were trained on."""

_POOL = None
_LAYERS = (64, _POOL, 128, _POOL, 256, 256, _POOL, 512, 512, _POOL, CHANNELS, CHANNELS, _POOL)


class Vgg11(nn.Module):
    """Normalises RGB images in 0..1 as ImageNet's and convolves them; starts as He asks."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(*_layers())
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
            else:
                nn.init.kaiming_normal_(parameter, nonlinearity="relu")
        self.mean: Tensor
        self.scale: Tensor
        self.register_buffer("mean", torch.tensor(MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("scale", torch.tensor(SCALE).view(3, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(n, 3, H, W) in 0..1 -> (n, 512, H / 32, W / 32)."""
        mapped: Tensor = self.features((x - self.mean) / self.scale)
        return mapped


def _layers() -> list[nn.Module]:
    layers: list[nn.Module] = []
    before = 3
    for width in _LAYERS:
        if width is _POOL:
            layers.append(nn.MaxPool2d(2))
        else:
            layers += [nn.Conv2d(before, width, 3, padding=1), nn.ReLU()]
            before = width
    return layers
