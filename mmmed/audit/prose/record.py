"""All that the prose is written from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmmed.audit.folder import RunFolder
from mmmed.audit.outline import Outline
from mmmed.audit.statistics import Statistics
from mmmed.record import atomic, table

UNKNOWN = "not recorded"


@dataclass(frozen=True)
class Record:
    """A run as its files tell it.

    Attributes:
        run: the folder.
        study: what was to be done.
        statistics: what may be said; None where the run has none.
        presence: rows of `presence.tsv`, of every training.
        jobs: settings of the jobs that were begun.
    """

    run: RunFolder
    study: Outline
    statistics: Statistics | None
    presence: Sequence[Mapping[str, str]]
    jobs: Sequence[Mapping[str, Any]]


def record(run: RunFolder, study: Outline, statistics: Statistics | None) -> Record:
    """Everything that the prose of a run is written from."""
    presence = run.path / "presence.tsv"
    return Record(
        run=run,
        study=study,
        statistics=statistics,
        presence=table.read(presence, table.PRESENCE) if presence.is_file() else (),
        jobs=[atomic.read_json(one) for one in sorted(run.path.glob("jobs/*/settings.json"))],
    )


def stated(value: Any) -> str:
    """A setting as text; `not recorded` where there is none."""
    if value is None or value == "" or value == []:
        return UNKNOWN
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {stated(one)}" for key, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(stated, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def counts(found: Mapping[str, int]) -> str:
    """`21 AD and 19 CN`."""
    told = [f"{count} {name}" for name, count in found.items()]
    return " and ".join(filter(None, (", ".join(told[:-1]), *told[-1:])))
