from __future__ import annotations

import pytest

from mmmed import config, library
from mmmed.cohorts.reading import read
from mmmed.cohorts.views import ViewsCohort
from mmmed.errors import DataError, NothingReadable, StudyError


def spec(root, **changes):
    values = {
        "kind": "views",
        "root": root,
        "modalities": {name: {"kind": "vector", "file": f"{name}.csv"} for name in ("a", "b")},
        "label": {"column": "last", "classes": ["0", "1"]},
    }
    return ViewsCohort.model_validate({**values, **changes})


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.csv").write_text("0,1,0\n1.5,2,0\n3,4,1\n5,6,1\n")
    (tmp_path / "b.csv").write_text("0,0\n7,0\n8,1\n9,1\n")
    return tmp_path


def test_a_row_of_every_table_is_one_case(folder):
    cohort = read(spec(folder), "views")
    assert [case.id for case in cohort.cases] == ["row-0", "row-1", "row-2"]
    assert list(cohort.labels()) == [0, 1, 1]
    assert cohort.owned().all(axis=None)
    (source,) = cohort.cases[1].sources["a"]
    assert (source.path.name, source.row, source.columns) == ("a.csv", "1", ("0", "1"))


def test_the_label_is_never_part_of_a_vector(folder):
    cohort = read(spec(folder), "views")
    assert all("0.1" not in case.sources[name][0].columns for case in cohort.cases for name in "ab")


def test_a_label_column_may_be_named(folder):
    for name in "ab":
        path = folder / f"{name}.csv"
        path.write_text(path.read_text().replace("0\n", "digit\n", 1))
    cohort = read(spec(folder, label={"column": "digit", "classes": ["0", "1"]}), "views")
    assert list(cohort.labels()) == [0, 1, 1]


def test_a_faulty_row_costs_one_view_of_one_case(folder):
    (folder / "b.csv").write_text("0,0\n7,0\nx,1\n9,1\n")
    cohort = read(spec(folder), "views")
    assert cohort.owned()["b"].tolist() == [True, False, True]
    assert "row-1 b: b.csv: column '0' is 'x'" in str(cohort.faults[0])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0,0\n7,0\n8,1\n", "has 2 rows, a.csv has 3"),
        ("0,0\n7,1\n8,1\n9,1\n", "row 0 is of class '1', in a.csv of '0'"),
    ],
)
def test_tables_that_disagree_are_refused(folder, text, reason):
    (folder / "b.csv").write_text(text)
    with pytest.raises(DataError, match=reason):
        read(spec(folder), "views")


def test_missing_tables_folders_columns_and_roots_are_refused(folder):
    with pytest.raises(DataError, match="the column 'digit' is missing"):
        read(spec(folder, label={"column": "digit", "classes": ["0", "1"]}), "views")
    with pytest.raises(StudyError, match=r"cohort.root"):
        read(spec(None), "views")
    with pytest.raises(NothingReadable, match="is no folder"):
        read(spec(folder / "none"), "views")
    (folder / "b.csv").unlink()
    with pytest.raises(DataError, match=r"b\.csv: is not there"):
        read(spec(folder), "views")


@pytest.mark.shared
def test_mfeat_is_2000_digits_of_ten_classes_in_six_views(data):
    document = config.read(library.find("cohorts", "mfeat", start=None).path)
    values = {key: value for key, value in document.values.items() if key != "mmmed"}
    shipped = ViewsCohort.model_validate(values)
    cohort = read(shipped.model_copy(update={"root": data / "multiview-mfeat"}), "mfeat")
    assert cohort.modalities == ("fac", "fou", "kar", "mor", "pix", "zer")
    assert cohort.labels().value_counts().to_dict() == dict.fromkeys(range(10), 200)
    assert cohort.owned().all(axis=None)
    sizes = [len(cohort.cases[0].sources[name][0].columns) for name in cohort.modalities]
    assert sizes == [216, 76, 64, 6, 240, 47]
