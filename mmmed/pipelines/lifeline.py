"""How a worker knows that its study is gone, and ends: else the resumed study would wait for it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from mmmed.record import lock

ORPHANED = 130
"""Exit code of a worker whose study is gone: the last checkpoint stands."""


class StudyGone(Exception):
    """The study that a worker works for has ended; nothing is recorded."""


@dataclass(frozen=True)
class Lifeline:
    """Called now and then by a worker; it does not return where the study is gone.

    Attributes:
        parent: the process that runs the study, where this is a child of it.
        lock: the file that the study holds as long as it lives, where workers are elsewhere.
    """

    parent: int | None = None
    lock: Path | None = None

    def __call__(self) -> None:
        """End this process, or raise where it serves other studies too.

        Raises:
            StudyGone: nobody holds the lock of the study.
        """
        if self.parent is not None and os.getppid() != self.parent:
            os._exit(ORPHANED)
        if self.lock is not None and not lock.is_held(self.lock):
            raise StudyGone

    def tied(self) -> Lifeline:
        """The same as far as it can be relied on: a lock that nobody is seen to hold says nothing.

        The file system may not share locks between machines.
        """
        seen = self.lock is not None and lock.is_held(self.lock)
        return Lifeline(parent=self.parent, lock=self.lock if seen else None)
