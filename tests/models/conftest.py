"""Random modality sets of every pattern, in tiny shapes, and a plain training loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch
from torch import nn

from mmmed.batch import Batch, ModalitySet, pack
from mmmed.modality import Modality, every_pattern
from mmmed.models.contract import Model, Phase

VOLUME, IMAGE = (1, 9, 8, 10), (1, 16, 12)


def volumes(count: int) -> tuple[Modality, ...]:
    return tuple(Modality(f"v{index}", "volume", VOLUME) for index in range(count))


def images(count: int) -> tuple[Modality, ...]:
    return tuple(Modality(f"i{index}", "image", IMAGE) for index in range(count))


def vectors(count: int) -> tuple[Modality, ...]:
    return tuple(Modality(f"x{index}", "vector", (3 + index,)) for index in range(count))


def mixed() -> tuple[Modality, ...]:
    return (*volumes(1), *images(1), *vectors(2))


MAKERS = {"volume": volumes, "image": images, "vector": vectors}


@pytest.fixture
def make_modalities() -> Callable[[str, int], tuple[Modality, ...]]:
    """(kind, M) -> modalities of that kind."""
    return lambda kind, count: MAKERS[kind](count)


@pytest.fixture
def mixed_modalities() -> tuple[Modality, ...]:
    """A volume, an image and two vectors of different widths."""
    return mixed()


def every_pattern_sets(modalities: Sequence[Modality], *, seed: int = 0) -> list[ModalitySet]:
    """Two cases of each pattern, one of each class; some own several items of a modality."""
    random = torch.Generator().manual_seed(seed)
    sets = []
    shapes = {one.name: one.shape for one in modalities}
    for number, pattern in enumerate(every_pattern(shapes)):
        for label in (0, 1):
            items = {
                name: [
                    torch.randn(shapes[name], generator=random)
                    for _ in range(1 + (number + label + place) % 2)
                ]
                for place, name in enumerate(pattern)
            }
            case = f"{pattern}-{label}"
            sets.append(ModalitySet(case=case, subject=case, items=items, label=label))
    return sets


@pytest.fixture
def make_sets() -> Callable[..., list[ModalitySet]]:
    """modalities -> two cases of every pattern."""
    return every_pattern_sets


@pytest.fixture
def make_batch() -> Callable[..., Batch]:
    """modalities -> one batch holding every pattern twice."""

    def make(modalities: Sequence[Modality], *, seed: int = 0) -> Batch:
        names = [one.name for one in modalities]
        return pack(every_pattern_sets(modalities, seed=seed), modalities=names)

    return make


def enter(model: Model, phase: Phase) -> None:
    model.eval()
    for module in phase.learns:
        module.train()


def value(losses: dict) -> torch.Tensor:
    return torch.stack([loss.sum / loss.count for loss in losses.values() if loss.count]).sum()


def train_phase(
    model: Model, phase: Phase, batch: Batch, *, steps: int, rate: float
) -> list[float]:
    """Full-batch steps of a phase; the loss of all turns at every step."""
    if phase.fit:
        with torch.no_grad():
            phase.fit([batch], set(batch.subject))
    enter(model, phase)
    seen = phase.cache(batch) if phase.cache else batch
    optimisers = [torch.optim.AdamW(turn.parameters, lr=rate) for turn in phase.turns]
    history = []
    for _ in range(steps):
        total = 0.0
        for turn, optimiser in zip(phase.turns, optimisers, strict=True):
            losses = turn.loss(seen)
            if not losses:
                continue
            loss = value(losses)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += float(loss.detach())
        history.append(total)
    model.eval()
    return history


@pytest.fixture
def train() -> Callable[..., list[float]]:
    """(model, phase, batch, steps=, rate=) -> the loss at every step."""
    return train_phase


@pytest.fixture
def in_training() -> Callable[[Model, Phase], None]:
    """Puts a model into the mode of a phase."""
    return enter


@pytest.fixture
def total_loss() -> Callable[[dict], torch.Tensor]:
    """The number a turn lowers."""
    return value


@pytest.fixture
def parameters_trained() -> Callable[[Model], int]:
    """How many distinct parameters the phases of a model train."""

    def count(model: Model) -> int:
        found: dict[int, nn.Parameter] = {}
        for phase in model.phases(10):
            for turn in phase.turns:
                found |= {id(one): one for one in turn.parameters}
        return sum(one.numel() for one in found.values())

    return count


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Every test starts from the same generator."""
    torch.manual_seed(0)
