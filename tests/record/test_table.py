"""Tables come back as they were written: floats by their bits, texts by their characters."""

from __future__ import annotations

import csv
import math
import struct
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmmed.errors import DataError
from mmmed.record import table
from mmmed.record.table import Cell, Schema

NOTES = Schema("mmmed-notes", 1, ("id", "note"), ("id",))
CELLS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def round_trip(rows: list[dict[str, Cell]], *, extra: tuple[str, ...] = ()) -> list[dict[str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "notes.tsv"
        table.write(path, NOTES, rows, extra=extra)
        return table.read(path, NOTES)


@given(st.floats(allow_nan=False))
def test_a_float_keeps_its_bits(value: float) -> None:
    (row,) = round_trip([{"id": 1, "note": value}])
    assert struct.pack("d", float(row["note"])) == struct.pack("d", value)


@given(st.lists(CELLS, min_size=1, max_size=5))
def test_a_text_keeps_its_characters(texts: list[str]) -> None:
    rows = round_trip([{"id": place, "note": text} for place, text in enumerate(texts)])
    assert [row["note"] for row in rows] == texts


@pytest.mark.parametrize(
    "text", ["a\tb", "a\nb", "a\rb", 'a "b" c', '"', "", "# x", "a\r\nb", "ü,"]
)
def test_separators_and_quotes_stay_inside_their_cell(text: str) -> None:
    assert round_trip([{"id": 1, "note": text}]) == [{"id": "1", "note": text}]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, "n/a"),
        (math.nan, "n/a"),
        (True, "true"),
        (False, "false"),
        (3, "3"),
        (0.1, "0.1"),
        (np.float64(0.1), "0.1"),
        (np.float32(0.1), "0.10000000149011612"),
        (np.int64(3), "3"),
        (-math.inf, "-inf"),
    ],
)
def test_a_value_has_one_spelling(value: Cell, written: str) -> None:
    assert round_trip([{"id": 1, "note": value}]) == [{"id": "1", "note": written}]


def test_a_column_without_a_value_is_missing() -> None:
    assert round_trip([{"id": 1}], extra=("more",)) == [{"id": "1", "note": "n/a", "more": "n/a"}]


def test_rows_are_sorted_by_key_numbers_by_value_before_texts() -> None:
    keys: list[Cell] = ["b", 10, "nan", 0.5, 9, "a", -1]
    rows = round_trip([{"id": key} for key in keys])
    assert [row["id"] for row in rows] == ["-1", "0.5", "9", "10", "a", "b", "nan"]


def test_a_table_is_read_by_pandas_and_csv_alike(tmp_path: Path) -> None:
    table.write(tmp_path / "t.tsv", NOTES, [{"id": "x", "note": 'a "b"\tc'}])
    headline, *lines = (tmp_path / "t.tsv").read_text().splitlines()
    assert headline == "# mmmed-notes 1"
    assert list(csv.reader(lines, delimiter="\t")) == [["id", "note"], ["x", 'a "b"\tc']]


def test_a_table_saved_with_windows_line_ends_is_read(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_bytes(b"# mmmed-notes 1\r\nid\tnote\r\n1\tx\r\n")
    assert table.read(tmp_path / "t.tsv", NOTES) == [{"id": "1", "note": "x"}]


def test_an_empty_table_is_a_table() -> None:
    assert round_trip([]) == []


def test_what_has_no_column_or_is_no_cell_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    with pytest.raises(ValueError, match="the table has no column 'nota'"):
        table.write(path, NOTES, [{"id": 1, "nota": 2}])
    with pytest.raises(ValueError, match="a column stands twice"):
        table.write(path, NOTES, [], extra=("note",))
    for value in (np.bool_(True), ["a"], Path("x")):
        with pytest.raises(TypeError, match="a cell is text, a number, a truth value or None"):
            table.write(path, NOTES, [{"id": value}])  # type: ignore[dict-item]
    assert not path.exists()


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"id\tnote\n1\tx\n", "the first line is 'id.tnote', not '# mmmed-notes 1'"),
        (b"# mmmed-notes 2\nid\tnote\n", "the first line is '# mmmed-notes 2'"),
        (b"# mmmed-notes 1\nid\n1\n", "the column 'note' is missing"),
        (b"# mmmed-notes 1\n", "the column 'id' is missing"),
        (b"# mmmed-notes 1\nid\tnote\tid\n", "a column stands twice"),
        (b"# mmmed-notes 1\nid\tnote\n1\tx\n2\n", "row 2 has 1 cells, not 2"),
        (b"# mmmed-notes 1\nid\tnote\n1\tx\ty\n", "row 1 has 3 cells, not 2"),
        (b'# mmmed-notes 1\nid\tnote\n1\t"x\n', "cannot be read"),
        (b"# mmmed-notes 1\nid\tnote\n1\t\xff\n", "cannot be read"),
        (b"", "the first line is ''"),
    ],
)
def test_a_file_that_is_not_this_table_is_refused(
    tmp_path: Path, content: bytes, fault: str
) -> None:
    (tmp_path / "t.tsv").write_bytes(content)
    with pytest.raises(DataError, match=rf"t\.tsv: {fault}"):
        table.read(tmp_path / "t.tsv", NOTES)


def test_a_table_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.tsv: cannot be read"):
        table.read(tmp_path / "none.tsv", NOTES)


@pytest.mark.parametrize(
    "schema",
    [table.CASES, table.SPLITS, table.PRESENCE, table.PREDICTIONS],
    ids=lambda one: one.name,
)
def test_the_key_of_a_schema_is_among_its_columns(schema: Schema) -> None:
    assert set(schema.key) <= {*schema.columns, *table.STUDY_COLUMNS}
    assert len(set(schema.columns)) == len(schema.columns)


def test_merged_tables_are_the_table_of_all_their_rows(tmp_path: Path) -> None:
    rows: list[dict[str, Cell]] = [
        {"id": key, "note": f'"{key}"\t', "more": 0.1} for key in (3, "b", 10, 1, "a", 2)
    ]
    table.write(tmp_path / "all.tsv", NOTES, rows, extra=("more",))
    for place in range(3):
        table.write(tmp_path / f"{place}.tsv", NOTES, rows[place::3], extra=("more",))
    parts = [tmp_path / f"{place}.tsv" for place in range(3)]
    table.merge(tmp_path / "merged.tsv", NOTES, parts)
    assert (tmp_path / "merged.tsv").read_bytes() == (tmp_path / "all.tsv").read_bytes()


def test_tables_of_other_columns_are_not_merged(tmp_path: Path) -> None:
    table.write(tmp_path / "a.tsv", NOTES, [{"id": 1}])
    table.write(tmp_path / "b.tsv", NOTES, [{"id": 2}], extra=("more",))
    with pytest.raises(DataError, match=r"b\.tsv: its columns are not those of .*a\.tsv"):
        table.merge(tmp_path / "c.tsv", NOTES, [tmp_path / "a.tsv", tmp_path / "b.tsv"])
    assert not (tmp_path / "c.tsv").exists()


def test_a_broken_row_leaves_no_merged_table(tmp_path: Path) -> None:
    table.write(tmp_path / "a.tsv", NOTES, [{"id": 1}])
    (tmp_path / "b.tsv").write_bytes(b"# mmmed-notes 1\nid\tnote\n2\n")
    with pytest.raises(DataError, match=r"b\.tsv: row 1 has 1 cells, not 2"):
        table.merge(tmp_path / "c.tsv", NOTES, [tmp_path / "a.tsv", tmp_path / "b.tsv"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tsv", "b.tsv"]
