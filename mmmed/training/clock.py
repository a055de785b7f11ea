"""How long training took, by phase: wall time that goes with the checkpoint.

What was trained after the last checkpoint of a killed process is trained again, and counted once;
so is what a phase prepares before its first step.
"""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic


class Clock:
    """Adds up the seconds of every phase.

    Args:
        seconds: phase -> what earlier processes spent on the steps that stand.
    """

    def __init__(self, seconds: Mapping[str, float]) -> None:
        self._seconds = dict(seconds)
        self._since = monotonic()

    def start(self) -> None:
        """Forget the time since the last `lap`."""
        self._since = monotonic()

    def lap(self, phase: str) -> dict[str, float]:
        """Give the time since the last lap to a phase; phase -> seconds of all processes."""
        now = monotonic()
        self._seconds[phase] = self._seconds.get(phase, 0.0) + now - self._since
        self._since = now
        return dict(self._seconds)
