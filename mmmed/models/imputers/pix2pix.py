"""pix2pix in 3D: a conditional GAN on pairs, one U-Net and one PatchGAN per direction.

Isola, Zhu, Zhou, Efros: Image-to-Image Translation with Conditional Adversarial Networks, CVPR
2017, arXiv 1611.07004. The generator lowers GAN + lambda * L1 (equation 4, lambda = 100), the
discriminator sees source and target side by side; its loss is halved.

Differs from the paper:
- volumes instead of slices, at twice the voxel size and interpolated back; three levels of a few
  channels; 3-wide kernels, and interpolation in place of transposed convolutions;
- the output is linear, not tanh: volumes are standardised;
- dropout in one inner block, and none at prediction, which has no noise;
- a direction per modality, trained in one phase; several pairs per step instead of one;
- AdamW with one cycle of the learning rate; no jitter, as the two volumes must stay aligned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from mmmed.models.backbones.conv import BatchNorm
from mmmed.models.contract import Loss, parameters_of
from mmmed.models.imputers.adversarial import BETAS, DISCRIMINATOR, absolute_error, vanilla
from mmmed.models.imputers.image import Lesson, Pairs, Translator, source_of
from mmmed.models.imputers.patchgan import PatchGan
from mmmed.models.imputers.unet import UNet


class Pix2Pix(Translator):
    """Two conditional GANs, one into each modality.

    Args:
        channels: modality -> C; two of them.
        widths: of the U-Nets.
        critic: widths of the PatchGANs.
        l1: lambda.
    """

    def __init__(
        self,
        channels: Mapping[str, int],
        *,
        widths: Sequence[int],
        critic: Sequence[int],
        l1: float,
    ) -> None:
        super().__init__()
        self.l1 = l1
        both = sum(channels.values())
        self.generators = nn.ModuleDict(
            {name: UNet(both - own, own, widths) for name, own in channels.items()}
        )
        self.critics = nn.ModuleDict(
            {name: PatchGan(both, critic, norm=BatchNorm) for name in channels}
        )

    def lessons(self) -> tuple[Lesson, ...]:
        """The discriminators, then the generators, as in the official code."""
        return (
            Lesson(parameters_of(self.critics), self.critic_loss, BETAS),
            Lesson(parameters_of(self.generators), self.generator_loss, BETAS),
        )

    def translate(self, source: Tensor, *, into: str) -> Tensor:
        """(n, C, *grid) -> (n, C', *grid)."""
        translated: Tensor = self.generators[into](source)
        return translated

    def critic_loss(self, pairs: Pairs) -> dict[str, Loss]:
        """Tell real pairs from made ones; nothing flows into the generators."""
        terms: dict[str, Loss] = {}
        for name, target in pairs.items():
            source = source_of(pairs, into=name)
            with torch.no_grad():
                fake = self.translate(source, into=name)
            real, made = self._scores(name, source, target), self._scores(name, source, fake)
            terms[f"{name} real"] = vanilla(real, real=True, weight=DISCRIMINATOR)
            terms[f"{name} fake"] = vanilla(made, real=False, weight=DISCRIMINATOR)
        return terms

    def generator_loss(self, pairs: Pairs) -> dict[str, Loss]:
        """GAN + lambda * L1."""
        terms: dict[str, Loss] = {}
        for name, target in pairs.items():
            source = source_of(pairs, into=name)
            fake = self.translate(source, into=name)
            terms[f"{name} gan"] = vanilla(self._scores(name, source, fake), real=True)
            terms[f"{name} l1"] = absolute_error(fake, target, weight=self.l1)
        return terms

    def _scores(self, name: str, source: Tensor, target: Tensor) -> Tensor:
        scores: Tensor = self.critics[name](torch.cat([source, target], dim=1))
        return scores
