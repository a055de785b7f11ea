"""Progress for people: bars on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType

EVERY_SECONDS = 15.0
"""How often a task may print a line where there is no terminal."""


class Progress:
    """Named tasks with `done` of `total`; call it with each change.

    Use as a context manager: `with Progress() as report: report("prepare", 3, 650)`.
    """

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._bars: dict[str, int] = {}
        self._spoken: dict[str, float] = {}

    def __enter__(self) -> Progress:
        if self._terminal:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
            from rich.progress import Progress as Bars

            self._rich = Bars(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                console=Console(stderr=True),
            )
            self._rich.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._terminal:
            self._rich.stop()

    def __call__(self, task: str, done: int, total: int) -> None:
        """Say that `done` of `total` pieces of a task are finished."""
        if self._terminal:
            self._draw(task, done, total)
        else:
            self._say(task, done, total)

    def note(self, text: str) -> None:
        """Say one thing that is no progress."""
        if self._terminal:
            self._rich.console.print(text, markup=False, highlight=False)
        else:
            print(text, file=sys.stderr, flush=True)

    def _draw(self, task: str, done: int, total: int) -> None:
        if task not in self._bars:
            self._bars[task] = int(self._rich.add_task(task, total=total))
        from rich.progress import TaskID

        self._rich.update(TaskID(self._bars[task]), completed=done, total=total)

    def _say(self, task: str, done: int, total: int) -> None:
        now = time.monotonic()
        ended = done >= total
        due = now - self._spoken.get(task, -EVERY_SECONDS) >= EVERY_SECONDS
        if (due or ended) and self._spoken.get(task) != float("inf"):
            print(f"{task}: {done}/{total}", file=sys.stderr, flush=True)
            self._spoken[task] = float("inf") if ended else now
