"""Work for processes that may die; a process imports it by this name."""

from __future__ import annotations

import ctypes
import time


def work(kind: str) -> str:
    """Do as `kind` says: crash, hang, ask for memory, raise, or give it back."""
    if kind == "crash":
        ctypes.string_at(0)
    if kind == "hang":
        time.sleep(60)
    if kind == "memory":
        try:
            bytearray(8 << 30)
        except MemoryError:
            return "refused"
    if kind == "raise":
        raise ValueError("mine")
    return kind
