"""SIGINT and SIGTERM ask training to stop after the step it is in."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupt:
    """While it listens, the two signals set `asked` and end nothing.

    Outside the main thread, where Python allows no handlers, it hears nothing.

    Args:
        tell: called at every signal.
    """

    def __init__(self, tell: Callable[[], None] | None = None) -> None:
        self.asked = False
        self._tell = tell
        self._before: dict[signal.Signals, Any] = {}

    def listen(self) -> None:
        """Take the signals; again, where another handler was put in front."""
        if threading.current_thread() is not threading.main_thread():
            return
        for one in SIGNALS:
            self._before.setdefault(one, signal.getsignal(one))
            signal.signal(one, self._ask)

    def restore(self) -> None:
        """Give the signals back to the handlers met at first."""
        for one, handler in self._before.items():
            signal.signal(one, handler)
        self._before = {}

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True
        if self._tell is not None:
            self._tell()
