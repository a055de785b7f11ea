"""Who hears how far a run is."""

from __future__ import annotations

from typing import Protocol


class Listener(Protocol):
    """Called with (task, done, total) as tasks advance, and told what else is worth reading."""

    def __call__(self, task: str, done: int, total: int) -> None:
        """Hear that `done` of `total` pieces of a task are finished."""

    def note(self, text: str) -> None:
        """Hear a sentence."""


class Silent:
    """Hears everything and says nothing."""

    def __call__(self, task: str, done: int, total: int) -> None:
        """Do nothing."""

    def note(self, text: str) -> None:
        """Do nothing."""
