"""Predictions as evaluation reads them, and the tables of results they fall into.

forced    protocol `every-pattern`: each case that owns a pattern, the rest hidden; one table per
          pattern, of the same people, so patterns can be compared
sizes     means of forced tables over all patterns of one size (pattern `any 3 of 6`)
observed  any other protocol: each case under what it has (pattern `mixed`); describes the clinic
model     one fold x seed of a method: scores are computed inside it and then averaged, never pooled
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd

from mmmed.errors import DataError
from mmmed.evaluation.scores import Integers, Scored
from mmmed.record import table

FORCED = "every-pattern"
MIXED = "mixed"
Section = tuple[str, str]
"""A cohort and the training of the models that predicted it, both by name."""
BLOCK = 1 << 14
"""Rows held as text at a time: a table of six views has half a million of them."""


@dataclass(frozen=True, order=True)
class Key:
    """Which table of results, for which method.

    Attributes:
        method: `hypermm`, ...
        protocol: the test protocol.
        rate: share hidden; -1 where the protocol has none.
        pattern: what is shown; `mixed` in an observed table, `any 3 of 6` for a size.
    """

    method: str
    protocol: str
    rate: float
    pattern: str

    @property
    def table(self) -> str:
        """`forced`, `sizes` or `observed`; no modality is called `any`."""
        if self.protocol != FORCED:
            return "observed"
        return "sizes" if self.pattern.startswith("any ") else "forced"


@dataclass(frozen=True)
class Model:
    """The predictions of one fold x seed in one table.

    Attributes:
        fold: its name.
        seed: of the job.
        case: (n,) ids.
        subject: (n,) ids.
        pattern: (n,) what each case showed.
        scored: labels, probabilities and decisions.
    """

    fold: str
    seed: str
    case: tuple[str, ...]
    subject: tuple[str, ...]
    pattern: tuple[str, ...]
    scored: Scored


def read_predictions(path: Path) -> pd.DataFrame:
    """`predictions.tsv` with numbers as numbers; a rate of `n/a` becomes NaN.

    Raises:
        DataError: the file is no table of predictions, or a cell that must be a number is none.
    """
    rows = table.rows(path, table.PREDICTIONS)
    blocks = []
    while block := list(islice(rows, BLOCK)):
        blocks.append(_typed(pd.DataFrame(block), path))
    return pd.concat(blocks, ignore_index=True) if blocks else pd.DataFrame()


def _typed(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    numbers = [name for name in frame.columns if name.startswith(("logit_", "p_"))]
    for name in ("rate", *numbers):
        try:
            frame[name] = frame[name].replace(table.MISSING, "nan").astype(float)
        except ValueError as error:
            raise DataError(f"{path}: column {name!r} holds what is no number ({error})") from error
    return frame


def sections(predictions: pd.DataFrame) -> Iterator[tuple[Section, pd.DataFrame]]:
    """The predictions of each cohort by the models of each training, ((cohort, train), rows).

    Both are empty where a table has no such column.
    """
    heads = [_told(predictions, name) for name in table.STUDY_COLUMNS]
    for (cohort, train), part in predictions.groupby(heads, sort=True):
        yield (str(cohort), str(train)), part


def of_section(rows: pd.DataFrame, section: Section) -> pd.DataFrame:
    """The rows of one section of any table with the columns of a study."""
    return dict(sections(rows)).get(section, rows.iloc[:0])


def _told(predictions: pd.DataFrame, column: str) -> pd.Series[str]:
    """A column as text; empty where it, or its value, is missing."""
    if column not in predictions.columns:
        return pd.Series("", index=predictions.index)
    return predictions[column].fillna("").astype(str).replace(table.MISSING, "")


def tables(
    predictions: pd.DataFrame, *, classes: Sequence[str], positive: str | None
) -> Iterator[tuple[Key, tuple[Model, ...]]]:
    """The labelled test predictions, table by table, model by model.

    Raises:
        DataError: a column is missing, a label or decision is no class, a probability is no number.
    """
    frame = _checked(predictions, classes)
    frame = frame[frame["split"].astype(str) == "test"]
    frame = frame[frame["label"].isin(classes)]
    forced = frame["protocol"] == FORCED
    shown = frame["pattern"].where(forced, MIXED)
    rate = frame["rate"].astype(float).fillna(-1.0)
    for key, part in frame.groupby([frame["method"], frame["protocol"], rate, shown], sort=True):
        method, protocol, value, pattern = map(str, key)
        models = tuple(
            _model(str(fold), str(seed), rows, classes=classes, positive=positive)
            for (fold, seed), rows in part.groupby(["fold", "seed"], sort=True)
        )
        yield Key(method, protocol, float(value), pattern), models


def _checked(predictions: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    needed = (*table.PREDICTIONS.columns, *(f"p_{name}" for name in classes), "decision")
    lacking = [name for name in needed if name not in predictions.columns]
    if lacking:
        raise DataError(f"predictions: the column {lacking[0]!r} is missing")
    frame = predictions.astype({"label": str, "decision": str})
    for column, allowed in (("label", {*classes, table.MISSING}), ("decision", set(classes))):
        strange = frame.loc[~frame[column].isin(allowed), [column, "case_id"]]
        if len(strange):
            value, case = strange.iloc[0]
            raise DataError(
                f"predictions: {case}: {column} {value!r} is no class; "
                f"allowed: {', '.join(classes)}"
            )
    chances = frame[[f"p_{name}" for name in classes]].to_numpy(dtype=np.float64)
    wrong = ~((chances >= 0) & (chances <= 1)).all(axis=1)
    if wrong.any():
        case = frame["case_id"].iloc[int(np.flatnonzero(wrong)[0])]
        raise DataError(f"predictions: {case}: a probability is not between 0 and 1")
    return frame


def _model(
    fold: str, seed: str, rows: pd.DataFrame, *, classes: Sequence[str], positive: str | None
) -> Model:
    return Model(
        fold=fold,
        seed=seed,
        case=tuple(rows["case_id"].astype(str)),
        subject=tuple(rows["subject_id"].astype(str)),
        pattern=tuple(rows["pattern"].astype(str)),
        scored=Scored(
            label=_indices(rows["label"], classes),
            probabilities=rows[[f"p_{name}" for name in classes]].to_numpy(dtype=np.float64),
            decision=_indices(rows["decision"], classes),
            positive=None if positive is None else classes.index(positive),
        ),
    )


def _indices(names: pd.Series[str], classes: Sequence[str]) -> Integers:
    place = {name: index for index, name in enumerate(classes)}
    return np.array([place[name] for name in names], dtype=np.int64)
