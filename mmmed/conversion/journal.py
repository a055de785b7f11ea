"""What earlier runs made of each series, so that a run that was interrupted goes on.

A series is taken as done where its files, its name and this program are as they were, and what it
made is still there. Nothing of this enters the output itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence, Set
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mmmed import __version__
from mmmed.conversion.task import Outcome, Task
from mmmed.errors import RunError, StudyError
from mmmed.record import atomic, digest

FOLDER = ".mmmed-convert"
"""Inside the output."""


class Journal:
    """The outcomes that stand in an output folder."""

    def __init__(self, out: Path) -> None:
        self._out = out

    def take_up(self, tasks: Sequence[Task]) -> dict[int, Outcome]:
        """What still holds of earlier runs, by place; what else they made is removed.

        It goes before anything new is written: a name that one series had may be another's now.

        Raises:
            StudyError: earlier runs converted other series, and none of these.
        """
        if not tasks:
            return {}
        noted = set((self._out / FOLDER).glob("*.json"))
        if noted and noted.isdisjoint(map(self._path, tasks)):
            raise StudyError(f"{self._out}: holds series of another input; choose another folder")
        found = {place: known for place, one in enumerate(tasks) if (known := self._find(one))}
        kept = {path for one in found.values() for path in one.outputs}
        for path in noted - {self._path(tasks[place]) for place in found}:
            self._remove(path, kept)
        return found

    def _remove(self, path: Path, kept: Set[str]) -> None:
        """Remove what a note tells of, then the note."""
        noted = _read(path)
        for one in set(noted["outcome"]["outputs"] if noted else ()) - kept:
            (self._out / one).unlink(missing_ok=True)
            (self._out / one.removesuffix(".nii.gz")).with_suffix(".json").unlink(missing_ok=True)
        path.unlink(missing_ok=True)

    def _find(self, task: Task) -> Outcome | None:
        """What a series became, where that still holds."""
        noted = _read(self._path(task))
        if noted is None or noted.get("source") != _source(task):
            return None
        outcome = Outcome(**{**noted["outcome"], "outputs": tuple(noted["outcome"]["outputs"])})
        return outcome if all((self._out / one).is_file() for one in outcome.outputs) else None

    def note(self, task: Task, outcome: Outcome) -> None:
        """Keep an outcome; one that another run may better is kept for nobody."""
        if not outcome.failed:
            value = {"source": _source(task), "outcome": asdict(outcome)}
            atomic.write_json(self._path(task), value)

    def _path(self, task: Task) -> Path:
        name = hashlib.sha256("\n".join(task.series).encode()).hexdigest()[:32]
        return self._out / FOLDER / f"{name}.json"


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found = atomic.read_json(path)
    except RunError:
        return None
    whole = isinstance(found, dict) and set(found) == {"source", "outcome"}
    return found if whole else None


def _source(task: Task) -> str:
    files = [[hashlib.sha256(one.path.encode("utf-8", "surrogateescape")).hexdigest(), one.size,
              one.modified] for one in task.files]  # fmt: skip
    return digest.of_value([__version__, task.name.with_ending(""), files])
