"""CycleGAN in 3D: two translators that must undo each other; no pair is ever compared.

Zhu, Park, Isola, Efros: Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial
Networks, ICCV 2017, arXiv 1703.10593. The generators lower both least-squares GAN losses, both
cycles (weight 10) and both identities (weight 0.5 * 10 = 5); the discriminators' losses are halved
and fed from a pool of 50.

Differs from the paper:
- volumes instead of slices, at twice the voxel size and interpolated back; few channels, three
  residual blocks, 3-wide kernels, zero padding, interpolation in place of transposed convolutions;
- the output is linear, not tanh: volumes are standardised;
- it learns from complete cases only, as every imputer here, though it needs no pairs;
- AdamW with one cycle of the learning rate; several cases per step instead of one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from mmmed.models.contract import Loss, parameters_of
from mmmed.models.imputers.adversarial import BETAS, DISCRIMINATOR, absolute_error, least_squares
from mmmed.models.imputers.image import Lesson, Pairs, Translator
from mmmed.models.imputers.patchgan import PatchGan
from mmmed.models.imputers.pool import Pool
from mmmed.models.imputers.residual import InstanceNorm, ResidualGenerator


class CycleGan(Translator):
    """Two generators, two discriminators, two pools.

    Args:
        shapes: modality -> (C, *grid); two of one shape.
        widths: of the generators.
        blocks: residual blocks of each generator.
        critic: widths of the PatchGANs.
        cycle: weight of each cycle.
        identity: weight of each identity.
        pool: volumes that each pool keeps.
    """

    def __init__(
        self,
        shapes: Mapping[str, tuple[int, ...]],
        *,
        widths: Sequence[int],
        blocks: int,
        critic: Sequence[int],
        cycle: float,
        identity: float,
        pool: int,
    ) -> None:
        super().__init__()
        self.cycle = cycle
        self.identity = identity
        self.generators = nn.ModuleDict(
            {
                name: ResidualGenerator(shape[0], widths, blocks=blocks)
                for name, shape in shapes.items()
            }
        )
        self.critics = nn.ModuleDict(
            {
                name: PatchGan(shape[0], critic, norm=lambda _: InstanceNorm())
                for name, shape in shapes.items()
            }
        )
        self.pools = nn.ModuleDict({name: Pool(shape, size=pool) for name, shape in shapes.items()})

    def lessons(self) -> tuple[Lesson, ...]:
        """The generators, then the discriminators, as in the official code."""
        return (
            Lesson(parameters_of(self.generators), self.generator_loss, BETAS),
            Lesson(parameters_of(self.critics), self.critic_loss, BETAS),
        )

    def translate(self, source: Tensor, *, into: str) -> Tensor:
        """(n, C, *grid) -> (n, C, *grid)."""
        translated: Tensor = self.generators[into](source)
        return translated

    def generator_loss(self, pairs: Pairs) -> dict[str, Loss]:
        """Both GAN losses, both cycles, both identities."""
        terms: dict[str, Loss] = {}
        for name, target in pairs.items():
            other = next(one for one in pairs if one != name)
            fake = self.translate(pairs[other], into=name)
            back = self.translate(fake, into=other)
            same = self.translate(target, into=name)
            terms[f"{name} gan"] = least_squares(self.critics[name](fake), real=True)
            terms[f"{other} cycle"] = absolute_error(back, pairs[other], weight=self.cycle)
            terms[f"{name} identity"] = absolute_error(same, target, weight=self.identity)
        return terms

    def critic_loss(self, pairs: Pairs) -> dict[str, Loss]:
        """Tell real volumes from made ones, some of them older; the generators learn nothing."""
        terms: dict[str, Loss] = {}
        for name, target in pairs.items():
            other = next(one for one in pairs if one != name)
            with torch.no_grad():
                fake = self.translate(pairs[other], into=name)
            shown = self._pools()[name].swap(fake)
            real = least_squares(self.critics[name](target), real=True, weight=DISCRIMINATOR)
            made = least_squares(self.critics[name](shown), real=False, weight=DISCRIMINATOR)
            terms[f"{name} real"], terms[f"{name} fake"] = real, made
        return terms

    def open(self) -> None:
        """Make room in the pools."""
        for pool in self._pools().values():
            pool.open()

    def close(self) -> None:
        """Empty the pools."""
        for pool in self._pools().values():
            pool.close()

    def _pools(self) -> dict[str, Pool]:
        return {name: pool for name, pool in self.pools.items() if isinstance(pool, Pool)}
