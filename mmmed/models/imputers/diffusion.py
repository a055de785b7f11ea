"""Conditional diffusion in 3D: a volume is drawn out of noise, with the other one beside it.

Ho, Jain, Abbeel: Denoising Diffusion Probabilistic Models, NeurIPS 2020, arXiv 2006.11239; the
source stands beside the noisy target as channels, as in Saharia et al., Palette, 2022,
arXiv 2111.05826. Networks and schedules are MONAI's.

Differs from the papers:
- volumes at three times the voxel size, interpolated back; two levels of a few channels, with
  attention in the innermost block alone;
- the network predicts the velocity (Salimans and Ho 2022, arXiv 2202.00512), which stays bounded
  in a short training where predicted noise does not;
- at prediction the noise is always the same and the few steps are deterministic (DDIM: Song et al.
  2021, arXiv 2010.02502), so that a case has one answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from monai.networks.nets.diffusion_model_unet import DiffusionModelUNet
from monai.networks.schedulers.ddim import DDIMScheduler
from torch import Tensor, nn
from torch.nn import functional

from mmmed.models.contract import Loss, parameters_of
from mmmed.models.imputers.image import Lesson, Pairs, Translator, source_of
from mmmed.models.loss import squared_error

LEVELS = 1000
"""Of noise, in training."""

GROUPS = 4
"""Of the networks' group norm; every width is a multiple of it."""


class Diffusion(Translator):
    """Two denoisers, one into each modality.

    Args:
        channels: modality -> C; two of them.
        widths: of the denoisers' levels, multiples of `GROUPS`.
        draws: steps from noise to a volume; a divisor of `LEVELS`.
    """

    def __init__(self, channels: Mapping[str, int], *, widths: Sequence[int], draws: int) -> None:
        super().__init__()
        self.channels = dict(channels)
        self.multiple = 2 ** (len(widths) - 1)
        self.draws = draws
        both = sum(channels.values())
        self.denoisers = nn.ModuleDict(
            {name: _denoiser(both, own, widths) for name, own in channels.items()}
        )

    def lessons(self) -> tuple[Lesson, ...]:
        """The denoisers, together."""
        return (Lesson(parameters_of(self.denoisers), self.velocity_loss),)

    def velocity_loss(self, pairs: Pairs) -> dict[str, Loss]:
        """Squared error of the velocity at a level of noise drawn for each pair."""
        terms: dict[str, Loss] = {}
        for name, target in pairs.items():
            source = source_of(pairs, into=name)
            level = torch.randint(LEVELS, (len(target),)).to(target.device)
            noise = torch.randn(target.shape).to(target)
            schedule = _schedule()
            noisy = schedule.add_noise(target, noise, level)
            velocity = schedule.get_velocity(target, noise, level)
            terms[f"{name} velocity"] = squared_error(
                self._velocity(noisy, source, level, into=name), velocity
            )
        return terms

    def translate(self, source: Tensor, *, into: str) -> Tensor:
        """(n, C, *grid) -> (n, C', *grid), the same at every call."""
        fixed = torch.Generator().manual_seed(0)
        noise = torch.randn((1, self.channels[into], *source.shape[2:]), generator=fixed)
        drawn = noise.to(source).expand(len(source), -1, -1, -1, -1)
        schedule = _schedule()
        schedule.set_timesteps(self.draws)
        # MONAI's `timesteps` are further apart than its steps lead
        for level in range(LEVELS - 1, -1, -(LEVELS // self.draws)):
            levels = torch.full((len(source),), level, device=source.device)
            velocity = self._velocity(drawn, source, levels, into=into)
            drawn, _ = schedule.step(velocity, level, drawn)
        return drawn

    def _velocity(self, noisy: Tensor, source: Tensor, level: Tensor, *, into: str) -> Tensor:
        x = _padded(torch.cat([noisy, source], dim=1), self.multiple)
        found: Tensor = self.denoisers[into](x, level)
        depth, height, width = noisy.shape[2:]
        return found[:, :, :depth, :height, :width]


def _schedule() -> DDIMScheduler:
    return DDIMScheduler(
        num_train_timesteps=LEVELS, clip_sample=False, prediction_type="v_prediction"
    )


def _denoiser(channels: int, out: int, widths: Sequence[int]) -> DiffusionModelUNet:
    return DiffusionModelUNet(
        spatial_dims=3,
        in_channels=channels,
        out_channels=out,
        num_res_blocks=1,
        channels=tuple(widths),
        attention_levels=(False,) * len(widths),
        norm_num_groups=GROUPS,
    )


def _padded(x: Tensor, multiple: int) -> Tensor:
    """Repeat the last voxels until every axis is a multiple."""
    missing = [-size % multiple for size in x.shape[2:]]
    if not any(missing):
        return x
    return functional.pad(x, [end for one in reversed(missing) for end in (0, one)], "replicate")
