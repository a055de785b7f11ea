"""Nested values as a list of names and texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def flat(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """`a.b` and its text, of every value that is no mapping; a number with four figures."""
    for key, inner in value.items():
        if isinstance(inner, Mapping):
            yield from flat(inner, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", f"{inner:.4g}" if isinstance(inner, float) else str(inner)
