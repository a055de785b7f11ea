"""The statistics as tables, and the files that hold all of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmmed.audit.folder import Row, RunFolder
from mmmed.audit.prose.analysis import FAMILIES
from mmmed.audit.section import Values
from mmmed.audit.statistics import Statistics, read_statistics

SUFFIXES = (".csv", ".tex")


def values(run: RunFolder) -> Values | None:
    """Scores, comparisons and ranks of the headline measure; links to the files of all."""
    statistics = read_statistics(run.path)
    files = _files(run.path)
    if statistics is None and not files:
        return None
    return {
        "files": files,
        "title": statistics.title if statistics else "",
        "scores": _scores(statistics) if statistics else [],
        "families": _families(statistics) if statistics else [],
        "curves": statistics.curves if statistics else [],
    }


def _files(run: Path) -> list[tuple[str, list[str]]]:
    """Name of a table -> its files, relative to the page."""
    found: dict[str, list[str]] = {}
    for path in sorted((run / "tables").glob("*")):
        if path.suffix in SUFFIXES:
            found.setdefault(path.stem, []).append(path.relative_to(run).as_posix())
    return list(found.items())


def _scores(statistics: Statistics) -> list[dict[str, Any]]:
    """A line per method and place, strata left to the files."""
    best = {_key(row): row["best"] for row in statistics.ranks if row["of"] == "score"}
    return [
        {**row, "best": best.get(_key(row)), "place": _place(row)}
        for row in statistics.scores
        if row["table"] != "stratum"
    ]


def _families(statistics: Statistics) -> list[tuple[str, Sequence[str]]]:
    """What is compared -> the sentences about it."""
    return [
        (words, [row["sentence"] for row in statistics.comparisons if row["kind"] == kind])
        for kind, words in FAMILIES.items()
        if any(row["kind"] == kind for row in statistics.comparisons)
    ]


def _key(row: Row) -> tuple[Any, ...]:
    names = ("method", "cohort", "train", "protocol", "rate", "pattern", "table")
    return tuple(row[name] for name in names)


def _place(row: Row) -> str:
    rate = "" if row["rate"] is None else f" {row['rate']:.0%}"
    where = row["pattern"] if row["table"] == "forced" else f"{row['protocol']}{rate}"
    return "; ".join(part for part in (where, row["train"], row["cohort"]) if part)
