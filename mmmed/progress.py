"""Who hears how far a piece of work is.

Progress   called with (pieces done, pieces in all), for one task
Listener   called with (task, pieces done, pieces in all); hears sentences too
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

Progress = Callable[[int, int], None]


class Listener(Protocol):
    """Called as tasks advance, and told what else is worth reading."""

    def __call__(self, task: str, done: int, total: int) -> None:
        """Hear that `done` of `total` pieces of a task are finished."""

    def note(self, text: str) -> None:
        """Hear a sentence."""

    def overall(self, text: str, done: int, total: int) -> None:
        """Hear how all of it stands, in place of what was heard before."""


class Silent:
    """Hears everything and says nothing."""

    def __call__(self, task: str, done: int, total: int) -> None:
        """Do nothing."""

    def note(self, text: str) -> None:
        """Do nothing."""

    def overall(self, text: str, done: int, total: int) -> None:
        """Do nothing."""


def unheard(done: int, total: int) -> None:
    """Progress that nobody follows."""
