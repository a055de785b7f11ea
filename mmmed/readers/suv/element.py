"""How elements are called, and what is said where they are missing or no number."""

from __future__ import annotations

import math

from pydicom.datadict import tag_for_keyword
from pydicom.tag import BaseTag, Tag

from mmmed.errors import UnitsError

LONGEST = 64
"""Characters of a value that are shown and kept."""


def tag_of(keyword: str) -> BaseTag:
    """The tag of a keyword of the standard."""
    number = tag_for_keyword(keyword)
    if number is None:
        raise KeyError(keyword)
    return Tag(number)


def name(keyword: str) -> str:
    """How messages call a value: `RadionuclideTotalDose (0018,1074)`."""
    return f"{keyword} {spelled(tag_of(keyword))}"


def missing(*keywords: str) -> UnitsError:
    """The error of values that no header states; any one of them would do."""
    return UnitsError(f"{' or '.join(name(keyword) for keyword in keywords)} is missing")


def as_number(keyword: str, parts: tuple[str, ...]) -> float:
    """One finite number.

    Raises:
        UnitsError: it is none.
    """
    try:
        value = float(parts[0]) if len(parts) == 1 else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UnitsError(f"{name(keyword)} is {' '.join(parts)[:LONGEST]!r}, which is no number")
    return value


def spelled(tag: BaseTag) -> str:
    """A tag as people write it: `(0018,1074)`."""
    return f"({tag.group:04X},{tag.element:04X})"
