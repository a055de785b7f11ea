"""`statistics.json` as the report reads it: what a study may say of its predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmmed.audit.folder import Row
from mmmed.errors import RunError
from mmmed.evaluation.text import NAMES
from mmmed.record import atomic

NAME = "statistics.json"
TABLES = ("scores", "comparisons", "curves", "ranks")


@dataclass(frozen=True)
class Statistics:
    """The tables of `mmmed.evaluation.study.statistics`, those of its headline measure.

    Attributes:
        plan: what was asked.
        title: of the headline measure.
        scores: a row per method and place.
        comparisons: a row per gap, each with a verdict.
        curves: a row per method and protocol with several rates.
        ranks: how often each method is best.
        answers: sentences.
        notes: what a reader must know beside them.
    """

    plan: Mapping[str, Any]
    title: str
    scores: Sequence[Row]
    comparisons: Sequence[Row]
    curves: Sequence[Row]
    ranks: Sequence[Row]
    answers: Sequence[str]
    notes: Sequence[str]


def read_statistics(run: Path) -> Statistics | None:
    """The statistics of a run folder; None where it has none.

    Raises:
        RunError: they are there, but broken.
    """
    path = run / NAME
    if not path.is_file():
        return None
    value = atomic.read_json(path)
    if not isinstance(value, dict) or value.get("mmmed-study") != 1:
        raise RunError(f"{path}: states no `mmmed-study: 1`, so it cannot be read")
    try:
        measure = value["headline"]
        of_it = {
            name: [row for row in value[name] if row.get("measure", measure) == measure]
            for name in TABLES
        }
        return Statistics(
            plan=dict(value["plan"]),
            title=NAMES[measure],
            answers=[str(one) for one in value["answers"]],
            notes=[str(one) for one in value.get("notes", ())],
            **of_it,
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise RunError(f"{path}: is no record of statistics ({error!r})") from error
