from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mmmed.errors import DataError
from mmmed.readers import vectors
from mmmed.readers.vectors import read_rows, read_table


def save(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_rows_are_found_by_identifier(tmp_path):
    path = save(tmp_path / "a.tsv", "id\tx\ty\nb\t1.5\t-2\na\t3\t4e-1\n")
    rows = read_rows(path, columns=["y", "x"], identifier="id")
    assert rows.vectors["b"].tolist() == [-2.0, 1.5]
    np.testing.assert_array_equal(rows.vectors["a"], np.float32([0.4, 3]))
    assert rows.vectors["a"].dtype == np.float32


def test_all_columns_but_the_ids_are_taken_where_none_is_named(tmp_path):
    path = save(tmp_path / "a.csv", "p,s,x,y\n1,M0,5,6\n1,M1,7,8\n")
    rows = read_rows(path, columns=(), identifier="p+s")
    assert rows.columns == ("x", "y")
    assert rows.vectors["1_M1"].tolist() == [7, 8]


def test_rows_without_identifier_are_numbered_from_zero(tmp_path):
    path = save(tmp_path / "a.csv", "x\n5\n6\n")
    rows = read_rows(path, columns=["x"], identifier=None)
    assert {row: vector.tolist() for row, vector in rows.vectors.items()} == {"0": [5], "1": [6]}


def test_a_header_name_that_stands_twice_is_told_apart_as_pandas_does(tmp_path):
    path = save(tmp_path / "a.csv", "0,1,0\n5,6,7\n")
    assert list(read_table(path).columns) == list(pd.read_csv(path).columns) == ["0", "1", "0.1"]


@pytest.mark.parametrize("cell", ["n/a", "word", "nan", "inf", "1e300", "1,5"])
def test_a_faulty_row_costs_that_row_alone(tmp_path, cell):
    path = save(tmp_path / "a.tsv", f"id\tx\ty\na\t1\t2\nb\t3\t{cell}\n")
    rows = read_rows(path, columns=["x", "y"], identifier="id")
    assert rows.vectors["a"].tolist() == [1, 2]
    assert "b" not in rows.vectors
    assert rows.faults == {"b": f"column 'y' is {cell!r}, no finite number"}


def test_a_row_of_nothing_is_absent_and_no_fault(tmp_path):
    path = save(tmp_path / "a.tsv", "id\tx\ty\na\tn/a\tn/a\nb\t1\t2\n")
    rows = read_rows(path, columns=["x", "y"], identifier="id")
    assert rows.blank == {"a"}
    assert not rows.faults


def test_two_rows_of_one_id_are_both_refused(tmp_path):
    path = save(tmp_path / "a.tsv", "id\tx\na\t1\na\t2\nb\t3\n")
    rows = read_rows(path, columns=["x"], identifier="id")
    assert list(rows.vectors) == ["b"]
    assert rows.faults == {"a": "stands in two rows"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        ("x,z\n1,2\n", "the column 'id' is missing"),
        ("id,z\n1,2\n", "the column 'x' is missing"),
        ("id,x\n1\n", "line 2 has 1 cells, the header 2"),
        ('id,x\n"1,2\n', "is no table .*; mend its quotes"),
    ],
)
def test_a_broken_table_is_refused(tmp_path, text, reason):
    with pytest.raises(DataError, match=reason):
        read_rows(save(tmp_path / "a.csv", text), columns=["x"], identifier="id")


def test_missing_foreign_and_huge_tables_are_refused(tmp_path, monkeypatch):
    with pytest.raises(DataError, match="is not there"):
        read_table(tmp_path / "none.csv")
    (tmp_path / "b.csv").write_bytes(b"x\n\xff\xfe\n")
    with pytest.raises(DataError, match=r"is no text in UTF-8 .*; export it as UTF-8"):
        read_table(tmp_path / "b.csv")
    monkeypatch.setattr(vectors, "LARGEST", 3)
    with pytest.raises(DataError, match="larger than 3 bytes"):
        read_table(tmp_path / "b.csv")


@pytest.mark.shared
def test_the_six_views_of_mfeat_have_their_published_sizes(data):
    sizes = {"fou": 76, "fac": 216, "kar": 64, "pix": 240, "zer": 47, "mor": 6}
    for name, size in sizes.items():
        path = data / "multiview-mfeat" / f"mfeat-{name}.csv"
        columns = list(read_table(path).columns)[:-1]
        rows = read_rows(path, columns=columns, identifier=None)
        assert (len(rows.vectors), len(rows.columns), rows.faults) == (2000, size, {})
