"""Imputation before the encoders: one volume is translated into the other.

grid         what a volume looks like to the translator: averaged over cubes of `shrink` voxels
             (4 mm volumes become 8 mm ones); its answers are interpolated back
pair         both volumes of a complete case, on the grid; several items of one are averaged
translator   a pair of networks, one per direction, and what they learn from
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmmed.batch import Batch, segment_mean
from mmmed.errors import StudyError
from mmmed.modality import Modality
from mmmed.models.contract import Loss, Phase, Turn
from mmmed.models.imputers.contract import Imputer, complete_cases, lessons
from mmmed.models.imputers.image_error import image_error

Pairs = Mapping[str, Tensor]
"""Modality -> (P, C, *grid), row by row of the same case."""


@dataclass(frozen=True)
class Lesson:
    """What becomes a turn.

    Attributes:
        parameters: what is trained.
        loss: of a batch of pairs.
        betas: of the optimiser; None takes the study's.
    """

    parameters: tuple[nn.Parameter, ...]
    loss: Callable[[Pairs], Mapping[str, Loss]]
    betas: tuple[float, float] | None = None


class Translator(nn.Module, ABC):
    """Translates between two modalities on the grid."""

    @abstractmethod
    def lessons(self) -> tuple[Lesson, ...]:
        """What alternates inside every step, in this order."""

    @abstractmethod
    def translate(self, source: Tensor, *, into: str) -> Tensor:
        """(n, C, *grid) of the other modality -> (n, C', *grid) of this one."""

    def open(self) -> None:
        """Training begins: make room for what only training needs."""

    def close(self) -> None:
        """Training is over: forget what only training needs."""


class ImageImputer(Imputer):
    """Completes batches of two volumes on one grid.

    Args:
        modalities: two volumes of one shape.
        translator: between them.
        shrink: voxels per axis that become one of the grid.
        pairs: complete cases that a step learns from, at most.
        rate: learning rate, relative to the study's.
    """

    def __init__(
        self,
        modalities: Sequence[Modality],
        translator: Translator,
        *,
        shrink: int,
        pairs: int,
        rate: float,
    ) -> None:
        super().__init__(tuple(one.name for one in modalities), needs_complete=True)
        self.space = modalities[0].space
        self.translator = translator
        self.shrink = shrink
        self.pairs = pairs
        self.rate = rate
        self.lowest: Tensor
        self.highest: Tensor
        limit = torch.finfo(torch.float32).max
        self.register_buffer("lowest", torch.full((len(modalities),), -limit))
        self.register_buffer("highest", torch.full((len(modalities),), limit))

    def phases(self, steps: int) -> tuple[Phase, ...]:
        """One phase on cached pairs; as they are, since volumes are augmented one by one."""
        turns = tuple(
            Turn(one.parameters, self._on_pairs(one), rate=self.rate, betas=one.betas)
            for one in self.translator.lessons()
        )
        phase = Phase(
            "imputer",
            turns,
            steps,
            learns=(self.translator,),
            select="last",
            cache=self.shrunk,
            augmented=False,
            fit=self.fit,
        )
        return (phase,)

    def fit(self, batches: Iterable[Batch], subjects: Collection[str]) -> None:
        """Learn between which intensities the volumes of complete training cases lie."""
        self.translator.open()
        for number, batch in enumerate(lessons(batches, subjects)):
            for place, name in enumerate(self.modalities):
                data = batch.items[name].data
                low, high = data.min(), data.max()
                if number:
                    low = torch.minimum(low, self.lowest[place])
                    high = torch.maximum(high, self.highest[place])
                self.lowest[place], self.highest[place] = low, high

    def close(self) -> None:
        """Forget what only training needs."""
        self.translator.close()

    def guess(self, batch: Batch, modality: str, rows: Tensor) -> Tensor:
        """(h, C, D, H, W), within the intensities that training volumes have."""
        place = self.modalities.index(modality)
        source = self.modalities[1 - place]
        small = _means(self.shrunk(batch), source)[rows.to(batch.items[source].data.device)]
        found = self.translator.translate(small, into=modality)
        large = functional.interpolate(found, size=self.space, mode="trilinear")
        return torch.maximum(torch.minimum(large, self.highest[place]), self.lowest[place])

    def error(self, guess: Tensor, truth: Tensor) -> Mapping[str, Tensor]:
        """`mae`, `psnr` and `ssim` inside the brain."""
        return image_error(guess, truth)

    def shrunk(self, batch: Batch) -> Batch:
        """The batch with its volumes on the grid."""
        return batch.map(lambda _, data: functional.avg_pool3d(data, self.shrink, ceil_mode=True))

    def draw(self, batch: Batch) -> Pairs | None:
        """The first complete cases of a batch on the grid as pairs; None where it holds none."""
        chosen = complete_cases(batch)
        if chosen is None:
            return None
        return {name: _means(chosen, name)[: self.pairs] for name in self.modalities}

    def _on_pairs(self, lesson: Lesson) -> Callable[[Batch], Mapping[str, Loss]]:
        def loss(batch: Batch) -> Mapping[str, Loss]:
            pairs = self.draw(batch)
            return {} if pairs is None else lesson.loss(pairs)

        return loss


def source_of(pairs: Pairs, *, into: str) -> Tensor:
    """(P, C, *grid) the volumes of the modality that is translated into this one."""
    return next(volumes for name, volumes in pairs.items() if name != into)


def require_translatable(modalities: Sequence[Modality], *, kind: str) -> None:
    """Raise a StudyError where these are not two volumes of one shape."""
    shapes = {one.shape for one in modalities}
    if len(modalities) != 2 or len(shapes) != 1 or modalities[0].kind != "volume":
        found = ", ".join(f"{one.name} ({one.kind} {one.shape})" for one in modalities)
        raise StudyError(
            f"imputer {kind} translates between two volumes of one shape, not {found}; "
            "use mean, knn or regression, which impute features"
        )


def grid(modality: Modality, *, shrink: int) -> tuple[int, ...]:
    """The shape of a volume on the translator's grid, channels first."""
    return (modality.shape[0], *(-(-size // shrink) for size in modality.space))


def _means(batch: Batch, modality: str) -> Tensor:
    """(B, C, *space) of a case's items, zero for a case that does not show the modality."""
    items = batch.items[modality]
    return segment_mean(items.data, items.owner, len(batch))
