"""A full disk, told apart from every other fault."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from mmmed.errors import RunError

FULL = (errno.ENOSPC, errno.EDQUOT)
_WORDS = tuple(os.strerror(number) for number in FULL)


def is_full(error: BaseException | None) -> bool:
    """Whether a disk or a quota was full, here or in what led to the error.

    Libraries that are no Python keep the system's words and lose its number.
    """
    while error is not None:
        if isinstance(error, OSError) and error.errno in FULL:
            return True
        if any(words in str(error) for words in _WORDS):
            return True
        error = error.__cause__ or error.__context__
    return False


def no_room(folder: Path) -> RunError:
    """What to say of a full disk."""
    return RunError(f"{folder}: the disk is full; make room and go on with --resume")
