"""Universal extractors: one network for all modalities, conditioned by a hypernetwork or not.

trunk      the network that modalities of one kind share: a backbone for volumes or images with
           the same number of channels, the upper part of an MLP for vectors
entry      what a modality has before the trunk: for vectors, a standardisation and a projection
           of their own (widths differ), for volumes and images nothing
phi        (n, E) the embedding of an item under its modality
target     (n, T) what an item's phi must be able to tell again (reconstruction)

Trunks are hollow (`hollow.py`): every call is given generated tensors and the batch norms' running
statistics of its modality, and nothing is installed for longer than the call.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from mmmed.modality import Modality
from mmmed.models.backbones.backbone import BackboneOptions
from mmmed.models.backbones.building import image_backbone
from mmmed.models.backbones.mlp import HIDDEN, MlpTrunk, entry
from mmmed.models.hypermm.hollow import Statistics, hollow, running_statistics
from mmmed.models.hypermm.hypernetwork import Hypernetwork
from mmmed.models.standard import Standard, standard_of

THUMBNAIL = 4
"""Voxels per axis of the low-resolution image that `generate: all` reconstructs."""


@dataclass(frozen=True)
class Encoded:
    """What an extractor makes of the items of one modality.

    Attributes:
        phi: (n, E).
        before: what phi was made from: the shared feature where there is one, else the items.
    """

    phi: Tensor
    before: Tensor


class Universal(nn.Module, ABC):
    """What all extractors have: entries, trunks by kind, statistics by modality.

    Attributes:
        family: modality -> the name of its trunk.
        width: E, the same for all modalities.
        targets: family -> T.
    """

    targets: Mapping[str, int]

    def __init__(
        self,
        modalities: Sequence[Modality],
        options: BackboneOptions,
        standards: Mapping[str, Standard],
    ) -> None:
        super().__init__()
        self.family = {modality.name: _family(modality) for modality in modalities}
        self.trunks, self.width = _trunks(modalities, options)
        self.entries = nn.ModuleDict(
            {
                modality.name: entry(standard_of(modality, standards))
                for modality in modalities
                if modality.kind == "vector"
            }
        )
        self.statistics = nn.ModuleDict()
        for modality in modalities:
            self.statistics[modality.name] = Statistics(self.trunks[self.family[modality.name]])
        for trunk in self.trunks.values():
            hollow(trunk, list(running_statistics(trunk)))

    @abstractmethod
    def forward(self, data: Mapping[str, Tensor]) -> dict[str, Encoded]:
        """Modality -> its encoded items; parameters are generated once for each modality."""

    def target(self, encoded: Encoded) -> Tensor:
        """(n, T) what phi must be able to tell again; no gradient flows into it.

        The item at low resolution: `THUMBNAIL` voxels per axis of a volume or image, the entry's
        output of a vector.
        """
        return _thumbnail(encoded.before.detach())

    def _enter(self, modality: str, x: Tensor) -> Tensor:
        if modality not in self.entries:
            return x
        entered: Tensor = self.entries[modality](x)
        return entered

    def _encode(
        self, data: Mapping[str, Tensor], generated: Mapping[str, Mapping[str, Tensor]]
    ) -> dict[str, Encoded]:
        """Every modality through its trunk, under the tensors generated for it, if any."""
        encoded = {}
        for name, x in data.items():
            entered = self._enter(name, x)
            phi = self._run(name, entered, generated.get(name, {}))
            encoded[name] = Encoded(phi=phi, before=entered)
        return encoded

    def _run(self, modality: str, x: Tensor, parameters: Mapping[str, Tensor]) -> Tensor:
        """(n, ...) -> (n, E): the trunk with a modality's statistics and these parameters."""
        statistics = self.statistics[modality]
        if not isinstance(statistics, Statistics):
            raise TypeError(f"statistics of {modality} are {type(statistics).__name__}")
        given = {**parameters, **statistics.of()}
        embedded: Tensor = functional_call(
            self.trunks[self.family[modality]], given, (x,), tie_weights=False
        )
        return embedded


class Shared(Universal):
    """One trunk for all modalities, conditioned by nothing: what a hypernetwork must improve on.

    Entries of vectors and the batch norms' running statistics still are each modality's own.
    """

    def __init__(
        self,
        modalities: Sequence[Modality],
        options: BackboneOptions,
        standards: Mapping[str, Standard],
    ) -> None:
        super().__init__(modalities, options, standards)
        self.targets = {_family(modality): _target_width(modality) for modality in modalities}

    def forward(self, data: Mapping[str, Tensor]) -> dict[str, Encoded]:
        """(n, C, *space) or (n, F) by modality -> encoded items."""
        return self._encode(data, {})


class GeneratedLast(Universal):
    """The paper's form: a shared trunk, and one generated 1x1 convolution on top of it.

    The convolution has a bias and no activation, so it is applied after the global average
    pooling, with which it commutes. The target is the pooled feature before it, detached.
    """

    def __init__(
        self,
        modalities: Sequence[Modality],
        options: BackboneOptions,
        standards: Mapping[str, Standard],
    ) -> None:
        super().__init__(modalities, options, standards)
        last = nn.Linear(self.width, self.width)
        nn.init.zeros_(last.bias)
        self.hypernetwork = Hypernetwork(list(self.family), dict(last.named_parameters()))
        self.targets = dict.fromkeys(self.trunks, self.width)

    def forward(self, data: Mapping[str, Tensor]) -> dict[str, Encoded]:
        """(n, C, *space) or (n, F) by modality -> encoded items."""
        generated = self.hypernetwork(list(data))
        encoded = {}
        for name, x in data.items():
            z = self._run(name, self._enter(name, x), {})  # (n, E)
            phi = functional.linear(z, generated[name]["weight"], generated[name]["bias"])
            encoded[name] = Encoded(phi=phi, before=z)
        return encoded

    def target(self, encoded: Encoded) -> Tensor:
        """(n, E) the shared feature."""
        return encoded.before.detach()


class GeneratedAll(Universal):
    """Every tensor of the trunk is generated: kernels, and the norms' scales and shifts.

    There is no shared feature to tell again; the target is the item itself at low resolution.
    MONAI's backbones are too large to be generated.
    """

    def __init__(
        self,
        modalities: Sequence[Modality],
        options: BackboneOptions,
        standards: Mapping[str, Standard],
    ) -> None:
        super().__init__(modalities, options, standards)
        self.hypernetworks = nn.ModuleDict()
        for family, trunk in self.trunks.items():
            members = [name for name, own in self.family.items() if own == family]
            tensors = dict(trunk.named_parameters())
            self.hypernetworks[family] = Hypernetwork(members, tensors)
            hollow(trunk, list(tensors))
        self.targets = {_family(modality): _target_width(modality) for modality in modalities}

    def forward(self, data: Mapping[str, Tensor]) -> dict[str, Encoded]:
        """(n, C, *space) or (n, F) by modality -> encoded items."""
        generated: dict[str, dict[str, Tensor]] = {}
        for family, hypernetwork in self.hypernetworks.items():
            members = [name for name in data if self.family[name] == family]
            if members:
                generated |= hypernetwork(members)
        return self._encode(data, generated)


def _family(modality: Modality) -> str:
    """Modalities of one family share a trunk."""
    return "vector" if modality.kind == "vector" else f"{modality.kind}{modality.shape[0]}"


def _trunks(modalities: Sequence[Modality], options: BackboneOptions) -> tuple[nn.ModuleDict, int]:
    """A trunk per family, all of one width."""
    trunks = nn.ModuleDict()
    width = HIDDEN
    for modality in modalities:
        if modality.kind != "vector" and _family(modality) not in trunks:
            backbone = image_backbone(
                options, channels=modality.shape[0], dimensions=len(modality.space)
            )
            trunks[_family(modality)] = backbone
            width = backbone.width
    if any(modality.kind == "vector" for modality in modalities):
        trunks["vector"] = MlpTrunk(width=width)
    return trunks, width


def _target_width(modality: Modality) -> int:
    if modality.kind == "vector":
        return HIDDEN
    return int(modality.shape[0] * THUMBNAIL ** len(modality.space))


def _thumbnail(x: Tensor) -> Tensor:
    """(n, C, *space) -> (n, C * THUMBNAIL^d), from every fourth voxel; vectors as they are."""
    if x.ndim == 2:
        return x
    pool = {2: functional.adaptive_avg_pool2d, 3: functional.adaptive_avg_pool3d}[x.ndim - 2]
    every_fourth = (slice(None),) * 2 + (slice(None, None, 4),) * (x.ndim - 2)
    return pool(x[every_fourth], THUMBNAIL).flatten(1)
