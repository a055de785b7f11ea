"""Where what can be made again is kept: `$MMMED_CACHE`, else the user's cache folder."""

from __future__ import annotations

import os
from pathlib import Path


def folder() -> Path:
    """The cache folder; it may not exist yet."""
    chosen = os.environ.get("MMMED_CACHE")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "mmmed"
