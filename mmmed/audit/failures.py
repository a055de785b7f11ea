"""Jobs that failed, each with its reason; their folders tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmmed.errors import RunError
from mmmed.record import atomic

REASON, DONE = "failed.txt", "done"
LONGEST = 300
"""Characters of a reason that are shown."""


@dataclass(frozen=True)
class Failure:
    """One job that failed.

    Attributes:
        job: what it was.
        reason: in one line.
    """

    job: str
    reason: str


def read_failures(run: Path) -> list[Failure]:
    """The jobs of a run folder that failed and were not done later, by name.

    Raises:
        RunError: what a job was cannot be read.
    """
    found = [
        Failure(job=job_name(path.parent), reason=_line(path))
        for path in run.glob(f"jobs/*/{REASON}")
        if not (path.parent / DONE).exists()
    ]
    return sorted(found, key=lambda one: (one.job, one.reason))


def job_name(folder: Path) -> str:
    """`hypermm, trained mcar 0.5, fold holdout, seed 0`; the folder's name where it tells less."""
    path = folder / "settings.json"
    settings: Any = atomic.read_json(path) if path.is_file() else {}
    if not isinstance(settings, Mapping):
        raise RunError(f"{path}: an object is expected; restore it or run again")
    method = settings.get("method")
    parts = [
        str(method.get("name")) if isinstance(method, Mapping) else folder.name,
        *(f"trained {settings[key]}" for key in ("train",) if key in settings),
        *(f"{key} {settings[key]}" for key in ("fold", "seed") if key in settings),
    ]
    return ", ".join(parts)


def _line(path: Path) -> str:
    """The reason as one printable line."""
    text = path.read_text(encoding="utf-8", errors="replace")
    line = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return line[:LONGEST] or "no reason was recorded"
