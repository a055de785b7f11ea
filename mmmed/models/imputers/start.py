"""How the networks of a GAN start: kernels from N(0, 0.02), biases at zero."""

from __future__ import annotations

from torch import nn

SPREAD = 0.02


def start_gan(network: nn.Module) -> None:
    """Draw every convolution's kernel anew, from torch's global generator."""
    for module in network.modules():
        if isinstance(module, nn.Conv3d):
            nn.init.normal_(module.weight, std=SPREAD)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
