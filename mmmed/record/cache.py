"""Where what can be made again is kept: `$MMMED_CACHE`, else the user's cache folder."""

from __future__ import annotations

import os
from pathlib import Path

from mmmed.record import atomic

VARIABLE = "MMMED_CACHE"
"""Of the environment: the folder, where another is wanted than the user's own."""


def folder() -> Path:
    """The cache folder; it may not exist yet."""
    chosen = os.environ.get(VARIABLE)
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "mmmed"


def made(name: str = "") -> Path:
    """A folder inside the cache, made where it is missing.

    Raises:
        RunError: it cannot be written to.
    """
    return atomic.made(folder() / name, advice="name another cache with MMMED_CACHE=DIR")
