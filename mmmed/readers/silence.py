"""Reading while a library's warnings are not heard."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

_ALONE = RLock()
"""Held while warnings are silenced: the list of filters belongs to the whole process."""


@contextmanager
def silent() -> Iterator[None]:
    """A library warns of what it cannot make sense of; what matters of that raises later."""
    with _ALONE, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
