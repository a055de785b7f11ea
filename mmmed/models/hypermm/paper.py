"""HyperMM as its authors built it: frozen VGG11, one generated 1x1 convolution, set network.

Chaptoukaev, Marciano, Galati, Zuluaga: HyperMM: Robust Multimodal Learning with Varying-sized
Inputs, 2024, arXiv 2407.20768 (MICCAI workshops). `hypermm` is the form that learns from scratch.

z    (n, 512, h, w): the map of a frozen VGG11, its maximum over the slices of a volume
phi  (n, 512 h w): z through the 1x1 convolution that is generated for the item's modality

Phase `extractor`: every item of every training case on its own, unpaired; phi tells its class and
reconstructs z. Phase `set`: phi is frozen and f(S) = rho(agg phi(s)) learns (equation 1). With
`pretrain: false` the one phase `joint` trains the generated convolution and rho together.

Differs from the paper:
- slices are stretched to a square instead of resized to 256 and cropped to 224, and intensities
  are not rounded to 256 values;
- as many embeddings as modalities instead of twenty;
- K classes with cross entropy instead of one logit; AdamW and steps instead of Adam and epochs,
  the extractor's half the set network's (their epochs were at most 50 and 100);
- gradients are set to zero before each step, which the authors' code does once per patient;
- validation scores the set prediction alone, which the authors average with that of each modality;
- `features`, which tell whether an item looks like the training part's, are phi averaged over
  space: 25,088 entries have no covariance to speak of.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional

from mmmed.batch import Batch
from mmmed.errors import StudyError
from mmmed.modality import Modality, Pattern
from mmmed.models.backbones.vgg import CHANNELS, FILE, REDUCTION, Vgg11
from mmmed.models.backbones.weights import load_weights
from mmmed.models.contract import Loss, Model, Phase, Turn, parameters_of
from mmmed.models.hypermm.aggregation import Aggregation, Aggregator, aggregate
from mmmed.models.hypermm.memory import Memory
from mmmed.models.hypermm.slices import Axis, pictures, require_pictures
from mmmed.models.loss import cross_entropy, item_labels, labels, squared_error
from mmmed.models.options import MethodOptions
from mmmed.models.standard import Standard

KIND: Literal["hypermm-paper"] = "hypermm-paper"
UNTRAINED = "-untrained-extractor"
"""What the name of a method with random weights ends in, so that every table says it."""

EMBEDDING = 5
CODE = 20
HIDDEN = 512
"""Units of the phase-1 classifier and of rho."""

EXTRACTOR_SHARE = 2
"""The extractor phase has half the steps of the set phase."""


class Options(MethodOptions):
    """What a study may say about HyperMM as published.

    Attributes:
        weights: torchvision's file of a VGG11 trained on ImageNet, or `random`: an extractor that
            has learned nothing. A study says one of them.
        size: pixels per side of a slice, a multiple of 32 (224 in the paper).
        axis: of a volume, along which slices follow each other: 0 sagittal, 1 coronal, 2 axial.
        reconstruction: weight of the reconstruction in phase 1.
        agg: how a case's items are aggregated; `attention` learns how much each of them counts.
        dropout: inside rho.
        pretrain: false leaves phase 1 out and trains generated convolution and rho together.
        rate: learning rate, relative to the study's: 0.05 of 2e-3 is the authors' 1e-4.
    """

    kind: Literal["hypermm-paper"] = KIND
    weights: Literal["random"] | Path | None = None
    size: Annotated[int, Field(ge=REDUCTION, multiple_of=REDUCTION)] = 224
    axis: Axis = 2
    reconstruction: Annotated[float, Field(gt=0)] = 1.0
    agg: Aggregation = "mean"
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.5
    pretrain: bool = True
    rate: Annotated[float, Field(gt=0)] = 0.05

    @model_validator(mode="before")
    @classmethod
    def _says_that_it_is_untrained(cls, given: Any) -> Any:
        if not isinstance(given, dict) or given.get("weights") != "random":
            return given
        name = str(given.get("name", KIND))
        return {**given, "name": name.removesuffix(UNTRAINED) + UNTRAINED}

    @property
    def lacks(self) -> str | None:
        """The file of weights, where the study names none."""
        if self.weights is not None:
            return None
        return (
            f"{self.name} needs torchvision's ImageNet weights of VGG11 and downloads nothing: "
            f"weights: path/to/{FILE}, or weights: random for an untrained extractor"
        )


class HyperMMPaper(Model):
    """Frozen features of slices, a generated convolution, one set network for all patterns."""

    def __init__(
        self,
        options: Options,
        modalities: tuple[Modality, ...],
        *,
        classes: int,
        standards: Mapping[str, Standard],  # noqa: ARG002 siblings share a signature
    ) -> None:
        super().__init__(modalities, classes)
        for modality in modalities:
            require_pictures(modality, method=KIND)
        self.options = options
        self.vgg = Vgg11()
        if isinstance(options.weights, Path):
            load_weights(self.vgg, options.weights)
        self.memory = Memory(self.vgg)
        width = CHANNELS * (options.size // REDUCTION) ** 2
        self.convolution = GeneratedConvolution([modality.name for modality in modalities])
        self.decoder = nn.ConvTranspose2d(CHANNELS, CHANNELS, 1)
        self.classifier = nn.Sequential(
            nn.Linear(width, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, classes)
        )
        self.agg = Aggregator(options.agg, width)
        self.rho = nn.Sequential(
            nn.Linear(width, HIDDEN),
            nn.ReLU(),
            nn.Dropout(options.dropout),
            nn.Linear(HIDDEN, classes),
        )

    def forward(self, batch: Batch) -> Tensor:
        """Logits (B, K) of the set prediction."""
        return self._set_logits(self.extract(batch))

    def features(self, batch: Batch) -> dict[str, Tensor]:
        """Modality -> (n, 512), phi averaged over space."""
        return {name: phi.mean(dim=(2, 3)) for name, phi in self._maps(self.extract(batch)).items()}

    def attention(self, batch: Batch) -> dict[str, Tensor] | None:
        """Modality -> (n,) of `agg: attention`, over all items of a case."""
        if self.options.agg != "attention":
            return None
        return self.agg.shares(batch, self._phi(self.extract(batch)))

    def phases(self, steps: int) -> tuple[Phase, ...]:
        """`extractor` on cached z, then `set` on cached phi; `joint` on cached z without either."""
        rate = self.options.rate
        if not self.options.pretrain:
            learners: tuple[nn.Module, ...] = (self.convolution, self.agg, self.rho)
            turn = Turn(parameters_of(*learners), self.joint_loss, rate=rate)
            return (
                Phase(
                    "joint",
                    (turn,),
                    steps,
                    learns=learners,
                    cache=self.extract,
                    augmented=False,
                ),
            )
        learners = (self.convolution, self.decoder, self.classifier)
        turn = Turn(parameters_of(*learners), self.item_loss, rate=rate)
        first = Phase(
            "extractor",
            (turn,),
            math.ceil(steps / EXTRACTOR_SHARE),
            learns=learners,
            cache=self.extract,
            augmented=False,
            predict=self._evidence,
        )
        learners = (self.agg, self.rho)
        turn = Turn(parameters_of(*learners), self.set_loss, rate=rate)
        second = Phase("set", (turn,), steps, learns=learners, cache=self.embed, augmented=False)
        return (first, second)

    def require_teachable(self, shown: Collection[Pattern]) -> None:  # noqa: ARG002 any will do
        """Raise a StudyError where the extractor has no weights to be frozen."""
        if self.options.lacks:
            raise StudyError(self.options.lacks)

    def extract(self, batch: Batch) -> Batch:
        """The batch with every item replaced by its z: what frozen VGG11 makes of it."""
        self.require_known(batch)
        return batch.map(
            lambda _, items: torch.stack([self.memory.recall(one, self._z) for one in items])
        )

    def embed(self, batch: Batch) -> Batch:
        """The batch with every item replaced by its phi: what the set phase learns from."""
        with torch.no_grad():
            phi = self._phi(self.extract(batch))
        return batch.map(lambda name, _: phi[name])

    def item_loss(self, batch: Batch) -> dict[str, Loss]:
        """Phase 1, on a batch of z: classification and reconstruction of every item on its own."""
        terms: dict[str, Loss] = {}
        for name, phi in self._maps(batch).items():
            logits = self.classifier(phi.flatten(1))
            terms[f"{name} class"] = cross_entropy(logits, item_labels(batch, name))
            terms[f"{name} reconstruction"] = squared_error(
                self.decoder(phi), batch.items[name].data, weight=self.options.reconstruction
            )
        return terms

    def set_loss(self, batch: Batch) -> dict[str, Loss]:
        """Phase 2, on a batch of phi: rho alone learns."""
        phi = {name: items.data for name, items in batch.items.items()}
        return {"class": cross_entropy(self._classified(batch, phi), labels(batch))}

    def joint_loss(self, batch: Batch) -> dict[str, Loss]:
        """Without phase 1, on a batch of z: the generated convolution and rho learn together."""
        return {"class": cross_entropy(self._set_logits(batch), labels(batch))}

    @torch.no_grad()
    def _z(self, item: Tensor) -> Tensor:
        """(C, *space) -> (512, h, w), the maximum over slices, each in a pass of its own.

        A pass sees one slice, so that neither their number nor their order moves a bit of z.
        """
        with torch.autocast(item.device.type, enabled=False):
            z: Tensor | None = None
            for picture in pictures(item.float(), axis=self.options.axis, size=self.options.size):
                mapped = self.vgg(picture)[0]
                z = mapped if z is None else torch.maximum(z, mapped)
        if z is None:
            raise ValueError("an item has at least one slice")
        return z

    def _maps(self, batch: Batch) -> dict[str, Tensor]:
        """Modality -> phi as maps (n, 512, h, w), of a batch of z."""
        z = {name: items.data for name, items in batch.items.items()}
        mapped: dict[str, Tensor] = self.convolution(z)
        return mapped

    def _set_logits(self, batch: Batch) -> Tensor:
        """(B, K) of a batch of z."""
        return self._classified(batch, self._phi(batch))

    def _classified(self, batch: Batch, phi: Mapping[str, Tensor]) -> Tensor:
        logits: Tensor = self.rho(self.agg(batch, phi, self.agg.shares(batch, phi)))
        return logits

    def _phi(self, batch: Batch) -> dict[str, Tensor]:
        """Modality -> phi (n, E), of a batch of z."""
        return {name: one.flatten(1) for name, one in self._maps(batch).items()}

    def _evidence(self, batch: Batch) -> Tensor:
        """(B, K) the aggregated phase-1 logits: the set prediction before the set phase."""
        phi = self._phi(self.extract(batch))
        alone = {name: self.classifier(one) for name, one in phi.items()}
        return aggregate(batch, alone, self.options.agg)


class GeneratedConvolution(nn.Module):
    """A 1x1 convolution with bias whose 262,656 entries are generated from a modality's identifier.

    Args:
        modalities: the names that have an embedding; nothing else can be asked for.
    """

    def __init__(self, modalities: Sequence[str]) -> None:
        super().__init__()
        self.rows = {name: row for row, name in enumerate(modalities)}
        self.embedding = nn.Embedding(len(modalities), EMBEDDING)
        self.hypernetwork = nn.Sequential(
            nn.Linear(EMBEDDING, CODE), nn.ReLU(), nn.Linear(CODE, (CHANNELS + 1) * CHANNELS)
        )

    def forward(self, z: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Modality -> (n, 512, h, w), each through its own convolution; the same shapes."""
        return {name: functional.conv2d(one, *self.generated(name)) for name, one in z.items()}

    def generated(self, modality: str) -> tuple[Tensor, Tensor]:
        """Kernel (512, 512, 1, 1) and bias (512,) of a modality."""
        row = torch.tensor(self.rows[modality], device=self.embedding.weight.device)
        entries = self.hypernetwork(self.embedding(row))  # (262_656,)
        kernel, bias = entries.split([CHANNELS * CHANNELS, CHANNELS])
        return kernel.view(CHANNELS, CHANNELS, 1, 1), bias
