"""A small training: two modalities of 8^3 volumes and a vector, written to and read from files.

Run as a program it is killed after a given step: `small_job.py FOLDER PHASE STEP`.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from mmmed.batch import Batch, segment_sum
from mmmed.modality import Modality, Pattern
from mmmed.models.contract import Loss, Model, Phase, Turn, parameters_of
from mmmed.models.loss import cross_entropy, item_labels, labels
from mmmed.readers.source import Source
from mmmed.training.fit import fit
from mmmed.training.history import History
from mmmed.training.loader import StepLoader, Views
from mmmed.training.module import Report
from mmmed.training.randomness import seed_all
from mmmed.training.settings import TrainingSpec
from mmmed.training.shelf import Shelf
from mmmed.transforms.chain import Chain
from mmmed.transforms.prepared import Prepared

SHAPE = (1, 8, 8, 8)
VOLUME = Chain.model_validate(
    {"item": "volume", "augment": [{"kind": "flip"}, {"kind": "noise"}], "mirror": True}
)
CHAINS = {"mri": VOLUME, "pet": VOLUME}
CASES = tuple(f"sub-{number:03d}" for number in range(40))
TRAIN, VALIDATION, REST = CASES[:24], CASES[24:30], CASES[30:]


class Tiny(Model):
    """An encoder per modality with batch norm and dropout; then a sum of logits over the set."""

    def __init__(self, modalities: tuple[Modality, ...], classes: int = 2) -> None:
        super().__init__(modalities, classes)
        self.encoders = nn.ModuleDict({one.name: _encoder() for one in modalities})
        self.drop = nn.Dropout(0.2)
        self.item = nn.Linear(8, classes)
        self.head = nn.Linear(8, classes)

    def forward(self, batch: Batch) -> Tensor:
        return self._pooled(self.features(batch), batch)

    def features(self, batch: Batch) -> dict[str, Tensor]:
        return {name: self.encoders[name](items.data) for name, items in batch.items.items()}

    def phases(self, steps: int) -> tuple[Phase, ...]:
        alone = (self.encoders, self.item, self.drop)
        together = (self.head, self.drop)
        return (
            Phase(
                "single",
                (Turn(parameters_of(*alone), self.item_loss),),
                steps,
                learns=alone,
                predict=lambda batch: sum(
                    segment_sum(self.item(one), batch.items[name].owner, len(batch))
                    for name, one in self.features(batch).items()
                ),
            ),
            Phase(
                "set",
                (Turn(parameters_of(*together), self.set_loss),),
                max(steps // 2, 1),
                learns=together,
                cache=self.embed,
            ),
        )

    def item_loss(self, batch: Batch) -> Mapping[str, Loss]:
        return {
            name: cross_entropy(self.item(self.drop(one)), item_labels(batch, name))
            for name, one in self.features(batch).items()
        }

    def set_loss(self, batch: Batch) -> Mapping[str, Loss]:
        found = {name: self.drop(items.data) for name, items in batch.items.items()}
        return {"set": cross_entropy(self._pooled(found, batch), labels(batch))}

    def embed(self, batch: Batch) -> Batch:
        found = self.features(batch)
        return batch.map(lambda name, _: found[name])

    def _pooled(self, features: Mapping[str, Tensor], batch: Batch) -> Tensor:
        parts = [
            segment_sum(self.head(one), batch.items[name].owner, len(batch))
            for name, one in features.items()
        ]
        return torch.stack(parts).sum(dim=0)


class Frozen(Model):
    """One phase, batch norm never learning, no dropout: what a gradient can be compared on.

    It fails in the step after `last`.
    """

    def __init__(self, modalities: tuple[Modality, ...], classes: int = 2) -> None:
        super().__init__(modalities, classes)
        self.tiny = Tiny(modalities, classes)
        self.last = 1000

    def forward(self, batch: Batch) -> Tensor:
        return self.tiny(batch)

    def features(self, batch: Batch) -> dict[str, Tensor]:
        return self.tiny.features(batch)

    def phases(self, steps: int) -> tuple[Phase, ...]:
        learners = parameters_of(self.tiny.encoders, self.tiny.item)
        return (Phase("single", (Turn(learners, self.item_loss),), steps, learns=()),)

    def item_loss(self, batch: Batch) -> Mapping[str, Loss]:
        self.last -= 1
        if self.last < 0:
            raise RuntimeError("the last step is over")
        return self.tiny.item_loss(batch)


def make_shelf(folder: Path) -> Shelf:
    """40 cases on disk, every third without PET; the signal is a bright slab."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    items: dict[str, dict[str, tuple[Prepared, ...]]] = {}
    for number, case in enumerate(CASES):
        items[case] = {}
        for name in ("mri", "pet")[: 1 if number % 3 == 0 else 2]:
            data = random.normal(size=SHAPE).astype(np.float32)
            data[:, :, 2:5] += number % 2
            path = folder / f"{case}_{name}.npy"
            np.save(path, data)
            items[case][name] = (Prepared(Source(path), path, "", SHAPE),)
    return Shelf(
        modalities=tuple(Modality(name, "volume", SHAPE) for name in ("mri", "pet")),
        items=items,
        label={case: number % 2 for number, case in enumerate(CASES)},
        subject={case: case for case in CASES},
    )


def make_loader(shelf: Shelf, *, batch: int = 8, seed: int = 0) -> StepLoader:
    return StepLoader(shelf, TRAIN, owned(shelf, TRAIN), batch=batch, seed=seed, chains=CHAINS)


def owned(shelf: Shelf, cases: tuple[str, ...]) -> dict[str, Pattern]:
    return {case: shelf.owned(case) for case in cases}


def train(
    shelf: Shelf, folder: Path, *, report: Report | None = None, seed: int = 0, **settings: object
) -> tuple[Tiny, History]:
    """20 + 10 steps, with checkpoints at odd places."""
    defaults = {"steps": 20, "batch": 8, "check_every": 6, "checkpoint_every": 7}
    seed_all(seed, "initialisation", 0)
    model = Tiny(shelf.modalities)
    history = fit(
        model,
        make_loader(shelf, seed=seed),
        Views(shelf, owned(shelf, VALIDATION), batch=4),
        settings=TrainingSpec.model_validate({**defaults, **settings}),
        seed=seed,
        folder=folder,
        device="cpu",
        report=report,
    )
    return model, history


def equal(one: Batch, other: Batch) -> bool:
    """Whether two batches are the same to the last bit."""
    return (
        one.case == other.case
        and one.items.keys() == other.items.keys()
        and all(
            torch.equal(one.items[name].data, other.items[name].data)
            and torch.equal(one.items[name].owner, other.items[name].owner)
            for name in one.items
        )
    )


def at(phase: str, step: int, act: object) -> Report:
    """A report that acts after one step of one phase."""

    def report(name: str, done: int, total: int, losses: Mapping[str, float]) -> None:
        if (name, done) == (phase, step):
            act()  # type: ignore[operator]

    return report


def _encoder() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv3d(1, 4, 3, stride=2),
        nn.BatchNorm3d(4),
        nn.ReLU(),
        nn.Conv3d(4, 8, 3),
        nn.ReLU(),
        nn.Flatten(),
    )


if __name__ == "__main__":
    place = Path(sys.argv[1])
    stop = at(sys.argv[2], int(sys.argv[3]), lambda: os.kill(os.getpid(), signal.SIGKILL))
    train(make_shelf(place / "shelf"), place / "job", report=stop)
