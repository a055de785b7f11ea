"""Tab-separated tables with a name and a version in their first line.

The first line is `# <schema> <version>`, the second the column names; `line` says how rows are
written.
"""

from __future__ import annotations

import csv
import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmmed.errors import DataError
from mmmed.record import atomic
from mmmed.record.line import MISSING as MISSING
from mmmed.record.line import Cell as Cell
from mmmed.record.line import line_of, sort_key, to_text

PARTS = ("train", "validation", "calibration", "test")
"""What stands under `split`, in the order people read it."""

STATUSES = ("shown", "hidden", "absent")
"""What stands under `status`: owned and shown, owned and hidden by a protocol, not owned."""


STUDY_COLUMNS = ("cohort", "train")
"""Columns that tables of a study have after their own: whose case it is, and which training the
model had, or hides."""


@dataclass(frozen=True)
class Schema:
    """A kind of table: its name, version, leading columns and the columns rows are sorted by.

    Tables may carry further columns after the leading ones (`logit_AD`, one per class). Rows are
    sorted by those columns of the key that a table has.
    """

    name: str
    version: int
    columns: tuple[str, ...]
    key: tuple[str, ...]

    @property
    def headline(self) -> str:
        """The first line of every file of this schema, without its line end."""
        return f"# {self.name} {self.version}"


CASES = Schema(
    "mmmed-cases",
    1,
    ("case_id", "subject_id", "session_id", "site", "label", "owned"),
    ("case_id",),
)
SPLITS = Schema("mmmed-splits", 1, ("fold", "case_id", "subject_id", "split"), ("fold", "case_id"))
PRESENCE = Schema(
    "mmmed-presence",
    1,
    ("protocol", "rate", "fold", "case_id", "split", "modality", "status"),
    ("protocol", "rate", "fold", "case_id", "modality", *STUDY_COLUMNS),
)
LEAKS = Schema(
    "mmmed-leaks",
    1,
    ("fold", "subject_id", "case_id", "name", "listed", "split"),
    ("fold", "subject_id", "case_id", "name"),
)
_TESTED = ("case_id", "subject_id", "session_id", "site", "split", "fold", "seed", "method")
"""What a row about a case that a model was asked for begins with."""
PREDICTIONS = Schema(
    "mmmed-predictions",
    1,
    (
        *_TESTED,
        "protocol",
        "rate",
        "owned",
        "pattern",
        "label",
    ),
    ("case_id", "method", "fold", "seed", "protocol", "rate", "pattern", *STUDY_COLUMNS),
)

TUNING = Schema(
    "mmmed-tuning",
    1,
    (
        "train",
        "fold",
        "seed",
        "method",
        "trial",
        "settings",
        "loss",
        "auroc",
        "steps",
        "seconds",
        "chosen",
        "failed",
    ),
    ("method", "train", "fold", "seed", "trial"),
)
"""What each trial came to: figures of the validation part under the train protocol."""
ATTENTION = Schema(
    "mmmed-attention",
    1,
    (
        "case_id",
        "method",
        "fold",
        "seed",
        "rank",
        "modality",
        "item",
        "source",
        "weight",
    ),
    ("case_id", "method", "fold", "seed", "rank", *STUDY_COLUMNS),
)
"""How much each item of a case counted under all that the case shows; a case's weights sum to one.

An item is counted from 1 within its modality. What was attended to explains a prediction; it is no
evidence of disease.
"""
ATTENDED = Schema(
    "mmmed-attended",
    1,
    (
        "place",
        "case_id",
        "method",
        "fold",
        "seed",
        "label",
        "decision",
        "probability",
        "rank",
        "modality",
        "source",
        "weight",
        "picture",
    ),
    ("place", "rank"),
)
"""The most attended items of a few cases, and the file of each item's picture."""
WOULD = (
    "lacking",
    "would_change",
    "would_low",
    "would_high",
    "would_stay",
    "would_bits",
    "would_drift",
    "would_say",
)
"""What is said of the modality that a case lacks.

`would_change` is `no` where the decision is the same in 95 % of what may come, else `yes`; low and
high are the 90 % interval of the probability of the positive class, or of the class decided for
where none is positive; `would_stay` is the share of the same decision, `would_bits` the expected
information, `would_drift` the mean change, `would_say` why nothing can be said.
"""
COUNTERFACTUAL = Schema(
    "mmmed-counterfactual",
    1,
    (
        *_TESTED,
        "pattern",
        "label",
        *WOULD,
        "decides_now",
        "decides_then",
    ),
    ("case_id", "method", "fold", "seed", "pattern", *STUDY_COLUMNS),
)
"""What the modality that a case lacks might make of its prediction under a pattern.

After these columns stand `now_<class>` and `then_<class>`, the probabilities without the modality
and with it; `then` is known where the modality is there but hidden.
"""
IMAGES = Schema(
    "mmmed-images",
    1,
    (
        *_TESTED,
        "modality",
        "item",
        "image",
        "label",
    ),
    ("case_id", "method", "fold", "seed", "modality", "item", *STUDY_COLUMNS),
)
"""Images scored one by one, each as a set of one; an item is counted from 1 within its modality."""

IMPUTED = Schema(
    "mmmed-imputed",
    1,
    (*_TESTED, "modality", "space", "figure", "error"),
    ("case_id", "method", "fold", "seed", "modality", "figure"),
)
"""How far what an imputer put in place of a modality lies from the true one, case by case.

The space is `image` or `feature`, and says which figures there are.
"""


def write(
    path: Path, schema: Schema, rows: Iterable[Mapping[str, Cell]], *, extra: Sequence[str] = ()
) -> None:
    """Write rows sorted by the schema's key, whole or not at all.

    Args:
        path: the file.
        schema: the kind of table.
        rows: one mapping per row; a column without a value is written `n/a`.
        extra: columns after the schema's own.

    Raises:
        ValueError: a column stands twice, or a row holds one that the table has not.
        TypeError: a value is no cell.
    """
    columns = (*schema.columns, *extra)
    if len(set(columns)) < len(columns):
        raise ValueError(f"{path}: a column stands twice in {columns}")
    lines = [line_of(row, columns, path) for row in rows]
    places = [columns.index(column) for column in schema.key if column in columns]
    lines.sort(key=lambda line: sort_key(line, places))
    text = "".join(map(to_text, (columns, *lines)))
    atomic.write_text(path, f"{schema.headline}\n{text}")


def read(path: Path, schema: Schema) -> list[dict[str, str]]:
    """The rows of a table, every cell as text.

    Raises:
        DataError: the file is missing, of another kind or version, lacks a column, or has a row
            of another length.
    """
    return list(rows(path, schema))


def rows(path: Path, schema: Schema) -> Iterator[dict[str, str]]:
    """The rows of a table one after the other, for tables too large to be held as text.

    Raises:
        DataError: as for `read`, when the row is reached.
    """
    lines = _lines(path, schema)
    columns = next(lines)
    for cells in lines:
        yield dict(zip(columns, cells, strict=True))


def merge(path: Path, schema: Schema, sources: Sequence[Path]) -> None:
    """Tables that `write` wrote as one, sorted alike; no more than a row of each is held.

    Args:
        path: the file.
        schema: the kind of table.
        sources: one table or more, of the same columns.

    Raises:
        DataError: a table cannot be read, or has other columns than the first.
    """
    tables = [_lines(source, schema) for source in sources]
    columns, *others = [next(lines) for lines in tables]
    for source, own in zip(sources[1:], others, strict=True):
        if own != columns:
            raise DataError(f"{source}: its columns are not those of {sources[0]}")
    places = [columns.index(column) for column in schema.key if column in columns]
    merged = heapq.merge(*tables, key=lambda line: sort_key(line, places))
    with (
        atomic.replacing(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        file.write(f"{schema.headline}\n{to_text(columns)}")
        file.writelines(map(to_text, merged))


def _lines(path: Path, schema: Schema) -> Iterator[list[str]]:
    """The column names, then the rows, as lists of cells."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            headline = file.readline().rstrip("\r\n")
            if headline != schema.headline:
                raise DataError(
                    f"{path}: the first line is {headline[:60]!r}, not {schema.headline!r}"
                )
            reader = csv.reader(file, delimiter="\t", strict=True)
            columns = next(reader, [])
            _check_columns(columns, schema, path)
            yield columns
            yield from _whole(reader, len(columns), path)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read ({error})") from error


def _check_columns(columns: Sequence[str], schema: Schema, path: Path) -> None:
    lacking = [column for column in schema.columns if column not in columns]
    if lacking:
        raise DataError(f"{path}: the column {lacking[0]!r} is missing")
    if len(set(columns)) < len(columns):
        raise DataError(f"{path}: a column stands twice")


def _whole(reader: Iterator[list[str]], width: int, path: Path) -> Iterator[list[str]]:
    for number, cells in enumerate(reader, start=1):
        if len(cells) != width:
            raise DataError(f"{path}: row {number} has {len(cells)} cells, not {width}")
        yield cells
