"""What earlier runs made of each series, so that a run that was interrupted goes on.

A series is taken as done where its files, its name and this program are as they were, and what it
made is still there. Nothing of this enters the output itself.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mmmed import __version__
from mmmed.conversion.task import Outcome, Task
from mmmed.errors import RunError
from mmmed.record import atomic, digest

FOLDER = ".mmmed-convert"
"""Inside the output."""


class Journal:
    """The outcomes that stand in an output folder."""

    def __init__(self, out: Path) -> None:
        self._out = out

    def find(self, task: Task) -> Outcome | None:
        """What a series became, where that still holds."""
        noted = self._noted(task)
        if noted is None or noted.get("source") != _source(task):
            return None
        outcome = Outcome(**{**noted["outcome"], "outputs": tuple(noted["outcome"]["outputs"])})
        return outcome if all((self._out / one).is_file() for one in outcome.outputs) else None

    def earlier(self, task: Task) -> tuple[str, ...]:
        """What a series was written to before, whether that still holds or not."""
        noted = self._noted(task)
        return tuple(noted["outcome"]["outputs"]) if noted else ()

    def note(self, task: Task, outcome: Outcome) -> None:
        """Keep an outcome; one that another run may better is kept for nobody."""
        if not outcome.failed:
            value = {"source": _source(task), "outcome": asdict(outcome)}
            atomic.write_json(self._path(task), value)

    def _noted(self, task: Task) -> dict[str, Any] | None:
        try:
            found = atomic.read_json(self._path(task))
        except RunError:
            return None
        whole = isinstance(found, dict) and set(found) == {"source", "outcome"}
        return found if whole else None

    def _path(self, task: Task) -> Path:
        name = hashlib.sha256("\n".join(task.series).encode()).hexdigest()[:32]
        return self._out / FOLDER / f"{name}.json"


def _source(task: Task) -> str:
    files = [[hashlib.sha256(one.path.encode("utf-8", "surrogateescape")).hexdigest(), one.size,
              one.modified] for one in task.files]  # fmt: skip
    return digest.of_value([__version__, task.name.with_ending(""), files])
