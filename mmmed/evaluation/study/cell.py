"""The cells of a study: one method in one place.

place    where methods meet: cohort, train protocol, test protocol, rate, pattern
cell     the predictions of one method in one place, model by model (fold x seed)
stratum  the cases of an observed table that show one pattern; stated, and compared with nothing, as
         its people differ from one pattern to the next
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from mmmed.errors import DataError
from mmmed.evaluation.predictions import MIXED, Key, Model, sections, tables


@dataclass(frozen=True, order=True)
class Place:
    """Where methods meet.

    Attributes:
        cohort: predicted; empty where a study has one.
        train: protocol of the training; empty where a study has one.
        protocol: of the test.
        rate: share hidden; -1 where the protocol has none.
        pattern: shown; `mixed` in an observed table.
        table: `forced`, `observed`, or `stratum`.
    """

    cohort: str
    train: str
    protocol: str
    rate: float
    pattern: str
    table: str

    def to_row(self) -> dict[str, str | float | None]:
        """The columns of every table of results that tell the place."""
        return {
            "cohort": self.cohort or None,
            "train": self.train or None,
            "protocol": self.protocol,
            "rate": None if self.rate < 0 else self.rate,
            "pattern": self.pattern,
            "table": self.table,
        }


@dataclass(frozen=True)
class Cell:
    """One method in one place; its models are in the order of fold and seed."""

    method: str
    place: Place
    models: tuple[Model, ...]


def find_cells(
    predictions: pd.DataFrame, *, classes: Sequence[str], positive: str | None
) -> list[Cell]:
    """Every cell, strata included, of the labelled test predictions.

    Raises:
        DataError: as `predictions.tables` raises, or a case is predicted twice by one model.
    """
    found: list[Cell] = []
    for head, part in sections(predictions):
        found += _cells(part, head, classes=classes, positive=positive)
    return found


def _cells(
    predictions: pd.DataFrame,
    head: tuple[str, str],
    *,
    classes: Sequence[str],
    positive: str | None,
) -> Iterator[Cell]:
    for key, models in tables(predictions, classes=classes, positive=positive):
        place = _place(head, key)
        for model in models:
            _check_once(model, key)
        yield Cell(key.method, place, models)
        if key.pattern == MIXED:
            yield from _strata(key.method, place, models)


def _place(head: tuple[str, str], key: Key) -> Place:
    cohort, train = head
    return Place(cohort, train, key.protocol, key.rate, key.pattern, key.table)


def _check_once(model: Model, key: Key) -> None:
    if len(set(model.case)) < len(model.case):
        case, _ = Counter(model.case).most_common(1)[0]
        raise DataError(
            f"predictions: {case}: stands twice under {key.method}, {key.protocol}, fold "
            f"{model.fold}, seed {model.seed}; tell protocols apart by name, and train protocols "
            "by a column `train`"
        )


def _strata(method: str, place: Place, models: Sequence[Model]) -> Iterator[Cell]:
    patterns = sorted({pattern for model in models for pattern in model.pattern})
    for pattern in patterns if len(patterns) > 1 else ():
        shown = [(model, np.array(model.pattern) == pattern) for model in models]
        parts = tuple(keep(model, rows) for model, rows in shown if rows.any())
        yield Cell(method, replace(place, pattern=pattern, table="stratum"), parts)


def keep(model: Model, rows: np.ndarray) -> Model:
    """The chosen rows of a model's predictions, a mask (n,)."""
    chosen = np.flatnonzero(rows)
    return Model(
        fold=model.fold,
        seed=model.seed,
        case=tuple(model.case[row] for row in chosen),
        subject=tuple(model.subject[row] for row in chosen),
        pattern=tuple(model.pattern[row] for row in chosen),
        scored=model.scored.rows(chosen),
    )
