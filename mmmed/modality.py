"""The algebra of what is present.

modality   a named kind of image or vector: `mri`, `pet`, `x40`, `clinical`
item       one image or vector of one modality of one case
pattern    a non-empty set of modalities, written `mri`, `pet`, `mri+pet`

Names are ordered as people read them (`x40` before `x100`), so a pattern has one spelling. `any`
is no name: protocols write it for every modality in turn.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Literal

from mmmed.errors import PresenceError

ItemKind = Literal["volume", "image", "vector"]
NAME = re.compile(r"(?!any\Z)[a-z][a-z0-9_]*")
"""What a modality may be called, as a full match."""

_AXES: Mapping[ItemKind, int] = {"volume": 4, "image": 3, "vector": 1}


@dataclass(frozen=True)
class Modality:
    """One modality as a model meets it.

    Attributes:
        name: lower-case letters, digits and underscores, a letter first; not `any`.
        kind: `volume` (C, D, H, W), `image` (C, H, W), or `vector` (F,).
        shape: the shape of one item, channels first.
    """

    name: str
    kind: ItemKind
    shape: tuple[int, ...]

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise ValueError(
                f"modality {self.name!r}: a name is lower-case letters, digits and '_', "
                "a letter first, and not 'any'"
            )
        axes = _AXES[self.kind]
        if len(self.shape) != axes or min(self.shape) < 1:
            raise ValueError(
                f"modality {self.name}: a {self.kind} has {axes} axes of at least 1, "
                f"not {self.shape}"
            )

    @property
    def space(self) -> tuple[int, ...]:
        """The spatial axes of one item; empty for a vector."""
        return self.shape[1:]


@dataclass(frozen=True)
class Pattern:
    """A non-empty set of modalities.

    Built with `Pattern.of(names)` or `Pattern.parse("mri+pet")`; `str` gives the one spelling.
    `&`, `|` and `-` are set operations and raise `PresenceError` where nothing would be left;
    `<=` is "is a subset of".
    """

    names: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.names:
            raise PresenceError("a pattern names at least one modality")
        for name in self.names:
            if not NAME.fullmatch(name):
                raise PresenceError(f"{name!r} is no modality name: write a pattern like 'mri+pet'")
        if list(self.names) != natural_sorted(set(self.names)):
            raise ValueError(f"{self.names} is not in order; use Pattern.of")

    @classmethod
    def of(cls, names: Iterable[str]) -> Pattern:
        """The pattern of these modalities, in any order."""
        return cls(tuple(natural_sorted(set(names))))

    @classmethod
    def parse(cls, text: str) -> Pattern:
        """The pattern written `mri+pet`, in any order.

        Raises:
            PresenceError: a name is empty, malformed or stands twice.
        """
        names = text.split("+")
        if len(set(names)) != len(names):
            raise PresenceError(f"pattern {text!r} names a modality twice")
        return cls.of(names)

    def __str__(self) -> str:
        return "+".join(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __le__(self, other: Pattern) -> bool:
        return set(self.names) <= set(other.names)

    def __and__(self, other: Pattern) -> Pattern:
        return Pattern.of(set(self.names) & set(other.names))

    def __or__(self, other: Pattern) -> Pattern:
        return Pattern.of(set(self.names) | set(other.names))

    def __sub__(self, other: Pattern) -> Pattern:
        return Pattern.of(set(self.names) - set(other.names))


def every_pattern(modalities: Iterable[str]) -> tuple[Pattern, ...]:
    """All 2^M - 1 patterns of M modalities, fewest modalities first."""
    names = natural_sorted(set(modalities))
    return tuple(
        Pattern(chosen) for size in range(1, len(names) + 1) for chosen in combinations(names, size)
    )


def natural_sorted(names: Iterable[str]) -> list[str]:
    """Names in the order people read them: `x40` before `x100`."""
    return sorted(names, key=natural_key)


@lru_cache(maxsize=1024)
def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """What names are ordered by as people read them."""
    parts = re.findall(r"\d+|\D+", name)
    return tuple((0, int(part), part) if part.isdecimal() else (1, 0, part) for part in parts)
