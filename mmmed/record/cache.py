"""Where what can be made again is kept: `$MMMED_CACHE`, else the user's cache folder."""

from __future__ import annotations

import os
from pathlib import Path

from mmmed.errors import RunError


def folder() -> Path:
    """The cache folder; it may not exist yet."""
    chosen = os.environ.get("MMMED_CACHE")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "mmmed"


def made(name: str = "") -> Path:
    """A folder inside the cache, made where it is missing.

    Raises:
        RunError: it cannot be written to.
    """
    inside = folder() / name
    try:
        inside.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(inside, error.strerror) from error
    if not os.access(inside, os.W_OK):
        raise _unusable(inside, "Permission denied")
    return inside


def _unusable(inside: Path, reason: str | None) -> RunError:
    return RunError(f"{inside}: the cache cannot be written to ({reason}); set MMMED_CACHE=DIR")
