"""What a carrier is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from mmmed.pipelines.backends.errand import Errand

POLL_SECONDS = 0.5
"""How often a carrier looks at its cluster while nothing ends."""


class Carrier(Protocol):
    """Brings errands to workers."""

    def __call__(self, errands: Sequence[Errand], *, parallel: int) -> list[Errand]:
        """Have errands done, `parallel` at a time; those that were lost.

        Raises:
            RunError: workers can do no errand at all, or are gone.
        """
        ...
