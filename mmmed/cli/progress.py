"""Progress for people: bars on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType

EVERY_SECONDS = 15.0
"""How often a task may print a line where there is no terminal."""
MOST_BARS = 16
"""Bars that a terminal shows at a time; the oldest give way."""
OVERALL = "overall"


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

    def overall(self, text: str, done: int, total: int) -> None:
        """Say how all of it stands, in place of what was said before."""
        if self._terminal:
            self._draw(OVERALL, done, total, text=text)
        elif done >= total or self._is_due(OVERALL):
            self._spoken[OVERALL] = time.monotonic()
            self.note(text)

    def _draw(self, task: str, done: int, total: int, *, text: str | None = None) -> None:
        from rich.progress import TaskID

        if task not in self._bars:
            self._bars[task] = int(self._rich.add_task(text or task, total=total))
            others = [number for name, number in self._bars.items() if name != OVERALL]
            if len(others) > MOST_BARS:
                self._rich.update(TaskID(others[-MOST_BARS - 1]), visible=False)
        self._rich.update(
            TaskID(self._bars[task]), description=text or task, completed=done, total=total
        )

    def _say(self, task: str, done: int, total: int) -> None:
        ended = done >= total
        if (self._is_due(task) or ended) and self._spoken.get(task) != float("inf"):
            print(f"{task}: {done}/{total}", file=sys.stderr, flush=True)
            self._spoken[task] = float("inf") if ended else time.monotonic()

    def _is_due(self, task: str) -> bool:
        return time.monotonic() - self._spoken.get(task, -EVERY_SECONDS) >= EVERY_SECONDS
