"""Ceilings of tables of results where modalities are hidden at random: absence tells nothing.

So both ceilings are one, that of a mixture of patterns in known shares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from mmmed.mechanism import Complete, EveryPattern, Mcar, TestProtocol, rates
from mmmed.modality import Pattern, every_pattern, natural_sorted

MIXED = "mixed"
"""The pattern of a table in which cases show different ones."""

Best = Callable[[Mapping[Pattern, float]], dict[str, float]]
"""The best AUROC and accuracy where cases show these patterns in these shares."""


def rows(
    modalities: Sequence[str], protocols: Sequence[TestProtocol], best: Best
) -> list[dict[str, Any]]:
    """A row per table of results; none for protocols whose absence depends on something.

    Args:
        modalities: that every case owns.
        protocols: of the test.
        best: the scores of a mixture.
    """
    return [row for protocol in protocols for row in _rows(modalities, protocol, best)]


def _rows(
    modalities: Sequence[str], protocol: TestProtocol, best: Best
) -> Iterator[dict[str, Any]]:
    if isinstance(protocol, EveryPattern):
        for pattern in every_pattern(modalities):
            yield _row(protocol, None, str(pattern), best({pattern: 1.0}))
    elif isinstance(protocol, Complete):
        yield _row(protocol, None, MIXED, best({Pattern.of(modalities): 1.0}))
    elif isinstance(protocol, Mcar):
        for rate in rates(protocol):
            yield _row(protocol, rate, MIXED, best(shares(modalities, protocol, rate)))


def _row(
    protocol: TestProtocol, rate: float | None, name: str, found: dict[str, float]
) -> dict[str, Any]:
    return {
        "protocol": protocol.name,
        "rate": rate,
        "pattern": name,
        "ceiling_images": found,
        "ceiling_all": found,
    }


def shares(modalities: Sequence[str], protocol: Mcar, rate: float) -> dict[Pattern, float]:
    """How often each pattern is left, modality by modality, nobody losing the last."""
    named = protocol.modality
    if isinstance(named, str):
        named = tuple(modalities) if named == "any" else (named,)
    found = {Pattern.of(modalities): 1.0}
    for name in natural_sorted(named) if protocol.modality == "any" else named:
        after: dict[Pattern, float] = {}
        for pattern, share in found.items():
            lost = rate * share if name in pattern and len(pattern) > 1 else 0.0
            after[pattern] = after.get(pattern, 0.0) + share - lost
            if lost:
                less = pattern - Pattern.of([name])
                after[less] = after.get(less, 0.0) + lost
        found = {pattern: share for pattern, share in after.items() if share > 0}
    return found
