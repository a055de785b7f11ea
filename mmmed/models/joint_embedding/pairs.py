"""Pairs: training cases that show two modalities or more, which some methods cannot do without."""

from __future__ import annotations

from collections.abc import Collection

from mmmed.errors import StudyError
from mmmed.modality import Pattern

FEWEST = 2
"""One pair has no variance."""


def is_pair(pattern: Pattern) -> bool:
    """Whether a case that shows this pattern shows two modalities or more."""
    return len(pattern) > 1


def require_room(method: str, batch: int) -> None:
    """Raise a StudyError where a training batch has no room for two cases to be compared in."""
    if batch < FEWEST:
        raise StudyError(
            f"{method} compares pairs within a batch, and training.batch is {batch}; "
            f"set it to {FEWEST} or more, or take a method that compares none, like late-fusion"
        )


def require_pairs(method: str, shown: Collection[Pattern]) -> None:
    """Raise a StudyError where training cases that show these patterns hold hardly any pair.

    Args:
        method: the name of who needs them.
        shown: one pattern per training case.
    """
    pairs = sum(map(is_pair, shown))
    if pairs < FEWEST:
        raise StudyError(
            f"{method} learns from cases that show two modalities, and {pairs} of {len(shown)} "
            "training cases do; add such cases, or take a method that needs none, like late-fusion"
        )
