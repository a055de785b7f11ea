"""Packed modality sets: what every model receives.

Items   all images (or vectors) of one modality in a batch, stacked, and which case owns each
Batch   the modality sets of B cases; absence is a hole, never a placeholder

Letters used for shapes throughout: `B` cases, `M` modalities, `n` items, `C` channels,
`D H W` space, `S` slices, `T` tokens, `E` embedding, `K` classes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import LongTensor, Tensor

from mmmed.errors import PresenceError
from mmmed.modality import Pattern

UNLABELLED = -1


@dataclass(frozen=True, eq=False)
class Items:
    """The items of one modality, packed.

    Attributes:
        data: (n, C, *space) for volumes and images, (n, F) for vectors; n >= 1.
        owner: (n,) the row of the case that owns each item, ascending.

    Raises:
        PresenceError: there is no item, or the owners do not fit.
    """

    data: Tensor
    owner: LongTensor

    def __post_init__(self) -> None:
        if self.owner.ndim != 1 or len(self.owner) != len(self.data):
            raise PresenceError(
                f"{len(self.data)} items need as many owners, not {tuple(self.owner.shape)}"
            )
        if len(self.owner) == 0:
            raise PresenceError("a modality without items has no key in a batch")
        if len(self.owner) > 1 and bool((self.owner[1:] < self.owner[:-1]).any()):
            raise PresenceError("owners must be ascending")

    def __len__(self) -> int:
        return len(self.owner)

    def take(self, rows: Tensor) -> Items:
        """The items at these positions (indices or a boolean mask), same owners."""
        return Items(self.data[rows], _long(self.owner[rows]))


@dataclass(frozen=True, eq=False)
class Batch:
    """The modality sets of B >= 1 cases.

    Attributes:
        modalities: all M modalities the model knows, in its fixed order.
        items: modality -> its items; no key for a modality that no case has.
        label: (B,) class index, `UNLABELLED` where unknown; None where nobody asks.
        case: B case ids.
        subject: B subject ids.

    Raises:
        PresenceError: a case owns nothing, or a modality is unknown.
        ValueError: labels or subjects are not as many as cases.
    """

    modalities: tuple[str, ...]
    items: Mapping[str, Items]
    label: LongTensor | None
    case: tuple[str, ...]
    subject: tuple[str, ...]

    def __post_init__(self) -> None:
        labels = len(self.case) if self.label is None else len(self.label)
        if not len(self.case) == len(self.subject) == labels:
            raise ValueError(
                f"{len(self.case)} cases, {len(self.subject)} subjects, {labels} labels"
            )
        _refuse_unknown(self.items, self.modalities)
        for name, items in self.items.items():
            if int(items.owner[-1]) >= len(self.case) or int(items.owner[0]) < 0:
                raise PresenceError(f"{name}: an item is owned by no case of the batch")
        if not self.items:
            raise PresenceError("a batch holds at least one item")
        empty = (~self.presence.any(dim=1)).nonzero()
        if len(empty):
            raise PresenceError(f"case {self.case[int(empty[0])]} owns no item")

    def __len__(self) -> int:
        return len(self.case)

    @property
    def presence(self) -> Tensor:
        """(B, M) boolean, True = present; on the CPU."""
        table = torch.zeros(len(self.case), len(self.modalities), dtype=torch.bool)
        for column, name in enumerate(self.modalities):
            if name in self.items:
                table[self.items[name].owner.cpu(), column] = True
        return table

    def pattern(self, row: int) -> Pattern:
        """The modalities that one case has."""
        owned = self.presence[row].tolist()
        return Pattern.of(name for name, has in zip(self.modalities, owned, strict=True) if has)

    def only(self, pattern: Pattern) -> tuple[Batch, LongTensor]:
        """The cases that own `pattern`, showing nothing else, and which rows they were.

        Items of other modalities are dropped; nothing takes their place.

        Raises:
            PresenceError: no case of the batch owns the pattern.
        """
        _refuse_unknown(pattern, self.modalities)
        columns = [self.modalities.index(name) for name in pattern]
        rows = _long(self.presence[:, columns].all(dim=1).nonzero().flatten())
        if len(rows) == 0:
            raise PresenceError(f"no case of the batch owns {pattern}")
        kept = torch.zeros(len(self), len(self.modalities), dtype=torch.bool)
        kept[:, columns] = True
        return self.show(kept, rows=rows), rows

    def show(self, kept: Tensor, *, rows: LongTensor | None = None) -> Batch:
        """The batch with items dropped where `kept` is False.

        Args:
            kept: (B, M) boolean; True where a case may show the modality it owns.
            rows: the cases to keep, ascending; all of them by default.

        Raises:
            PresenceError: a kept case, or the whole batch, would be left without an item.
            ValueError: `kept` is not (B, M), or the rows are not ascending.
        """
        kept = kept.cpu()
        rows = _long(torch.arange(len(self)) if rows is None else rows.cpu())
        if kept.shape != (len(self), len(self.modalities)):
            raise ValueError(f"kept is (B, M) for {len(self)} cases, not {tuple(kept.shape)}")
        if bool((rows[1:] <= rows[:-1]).any()):
            raise ValueError(f"rows are ascending, each once, not {rows.tolist()}")
        place = torch.full((len(self),), -1)  # of each case in the new batch, -1 = dropped
        place[rows] = torch.arange(len(rows))
        items: dict[str, Items] = {}
        for column, name in enumerate(self.modalities):
            if name not in self.items:
                continue
            mine = self.items[name]
            owner = mine.owner.cpu()
            chosen = kept[owner, column] & (place[owner] >= 0)
            if bool(chosen.any()):
                whole = bool(chosen.all())
                data = mine.data if whole else mine.data[chosen.to(mine.data.device)]
                items[name] = Items(data, _long(place[owner[chosen]].to(mine.owner.device)))
        index = rows.tolist()
        return Batch(
            modalities=self.modalities,
            items=items,
            label=None if self.label is None else _long(self.label[rows.to(self.label.device)]),
            case=tuple(self.case[row] for row in index),
            subject=tuple(self.subject[row] for row in index),
        )

    def select(self, rows: LongTensor) -> Batch:
        """These cases (ascending rows) with all they own."""
        return self.show(torch.ones(len(self), len(self.modalities), dtype=torch.bool), rows=rows)

    def map(self, change: Callable[[str, Tensor], Tensor]) -> Batch:
        """The batch with the data of each modality replaced by `change(modality, data)`."""
        items = {
            name: Items(change(name, items.data), items.owner) for name, items in self.items.items()
        }
        return replace(self, items=items)

    def to(self, device: torch.device | str) -> Batch:
        """The batch with its tensors on a device; itself where they are there."""
        device = torch.device(device)
        if all(items.data.device == device for items in self.items.values()):
            return self
        items = {
            name: Items(items.data.to(device), _long(items.owner.to(device)))
            for name, items in self.items.items()
        }
        label = None if self.label is None else _long(self.label.to(device))
        return replace(self, items=items, label=label)


@dataclass(frozen=True, eq=False)
class ModalitySet:
    """One case as it is loaded: its items per modality, a variable number of each.

    Attributes:
        items: modality -> tensors of one shape, (C, *space) or (F,).
        label: class index, or `UNLABELLED`.

    Raises:
        PresenceError: the case owns no item.
    """

    case: str
    subject: str
    items: Mapping[str, Sequence[Tensor]]
    label: int = UNLABELLED

    def __post_init__(self) -> None:
        if not any(len(owned) for owned in self.items.values()):
            raise PresenceError(f"case {self.case} owns no item")


def pack(sets: Sequence[ModalitySet], *, modalities: Sequence[str]) -> Batch:
    """Modality sets as one Batch, in the order given.

    Raises:
        PresenceError: there is no set, one holds an unknown modality, or items of one modality
            differ in shape.
    """
    _refuse_unknown((name for one in sets for name in one.items), modalities)
    items: dict[str, Items] = {}
    for name in modalities:
        owned = [(row, item) for row, one in enumerate(sets) for item in one.items.get(name, ())]
        if not owned:
            continue
        shapes = {tuple(item.shape) for _, item in owned}
        if len(shapes) > 1:
            raise PresenceError(f"{name}: items of one batch differ in shape: {sorted(shapes)}")
        items[name] = Items(
            torch.stack([item for _, item in owned]),
            _long(torch.tensor([row for row, _ in owned], dtype=torch.long)),
        )
    return Batch(
        modalities=tuple(modalities),
        items=items,
        label=_long(torch.tensor([one.label for one in sets], dtype=torch.long)),
        case=tuple(one.case for one in sets),
        subject=tuple(one.subject for one in sets),
    )


def segment_sum(values: Tensor, owner: Tensor, size: int) -> Tensor:
    """Sums over the items of each case.

    Args:
        values: (n, ...) one row per item.
        owner: (n,) the case of each item.
        size: B.

    Returns:
        (B, ...); zero for a case without items.
    """
    return values.new_zeros(size, *values.shape[1:]).index_add(0, owner, values)


def segment_mean(values: Tensor, owner: Tensor, size: int) -> Tensor:
    """Means over the items of each case, (n, ...) -> (B, ...); zero for a case without items."""
    count = torch.bincount(owner, minlength=size).clamp(min=1).to(values.dtype)
    return segment_sum(values, owner, size) / count.view(-1, *[1] * (values.ndim - 1))


def segment_max(values: Tensor, owner: Tensor, size: int) -> Tensor:
    """Maxima over the items of each case, (n, ...) -> (B, ...); -inf for a case without items."""
    index = owner.view(-1, *[1] * (values.ndim - 1)).expand_as(values)
    start = values.new_full((size, *values.shape[1:]), float("-inf"))
    return start.scatter_reduce(0, index, values, reduce="amax")


def segment_softmax(scores: Tensor, owner: Tensor, size: int) -> Tensor:
    """The share of each item among those of its case, (n, ...) -> (n, ...), at least float32.

    The greatest score of a case is taken off first, so that no score is too large.
    """
    scores = scores.to(torch.promote_types(scores.dtype, torch.float32))
    top = segment_max(scores.detach(), owner, size)
    odds = (scores - top[owner]).exp()
    return odds / segment_sum(odds, owner, size)[owner]


def _refuse_unknown(names: Iterable[str], modalities: Sequence[str]) -> None:
    unknown = [name for name in names if name not in modalities]
    if unknown:
        raise PresenceError(
            f"modality {unknown[0]!r} was never seen in training "
            f"({', '.join(modalities)}); leave its items out"
        )


def _long(tensor: Tensor) -> LongTensor:
    if tensor.dtype != torch.long:
        raise TypeError(f"indices are int64, not {tensor.dtype}")
    return tensor  # type: ignore[return-value]  # a dtype, not a class, at run time
