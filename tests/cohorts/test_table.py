from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from mmmed.cohorts.ledger import look
from mmmed.cohorts.reading import read
from mmmed.cohorts.table import TableCohort
from mmmed.errors import DataError, NothingReadable, StudyError

MODALITIES = {
    "mri": {"kind": "volume", "columns": ["mri", "mri_2"]},
    "pet": {"kind": "volume", "columns": ["pet"]},
    "clinical": {"kind": "vector", "columns": ["age", "mmse"]},
}


def spec(root, **changes):
    values = {
        "kind": "table",
        "root": root,
        "table": "cases.tsv",
        "modalities": MODALITIES,
        "label": {"column": "dx", "classes": ["CN", "AD"]},
    }
    return TableCohort.model_validate({**values, **changes})


@pytest.fixture
def folder(empty_bids):
    for name in ("a.nii.gz", "b.nii.gz", "c.nii.gz", "p.nii"):
        empty_bids.volume(name)
    empty_bids.table(
        "cases.tsv",
        "case_id subject_id site mri mri_2 pet age mmse dx",
        "one s1 A a.nii.gz b.nii.gz p.nii 70 29 CN",
        "two s1 B c.nii.gz n/a n/a 71 n/a AD",
    )
    return empty_bids


def test_a_row_is_a_case_and_a_path_an_item(folder):
    cohort = read(spec(folder.root), "table")
    one, two = cohort.cases
    assert [source.path.name for source in one.sources["mri"]] == ["a.nii.gz", "b.nii.gz"]
    assert [source.path.name for source in two.sources["mri"]] == ["c.nii.gz"]
    assert (one.subject, two.subject, two.site, two.label) == ("s1", "s1", "B", 1)
    assert "pet" not in two.sources
    assert dict(one.covariates) == {"age": 70.0, "mmse": 29.0}


def test_vectors_are_rows_of_the_table_itself(folder):
    cohort = read(spec(folder.root), "table")
    (source,) = cohort.cases[0].sources["clinical"]
    assert (source.row, source.columns, source.identifier) == ("one", ("age", "mmse"), "case_id")
    assert [str(fault) for fault in cohort.faults] == [
        "two clinical: column 'mmse' is 'n/a', no finite number"
    ]


def test_a_case_without_subject_is_its_own(folder):
    folder.table("cases.tsv", "case_id mri dx", "one a.nii.gz CN", "two b.nii.gz AD")
    modalities = {"mri": {"kind": "volume", "columns": ["mri"]}}
    cohort = read(spec(folder.root, modalities=modalities), "table")
    assert [case.subject for case in cohort.cases] == ["one", "two"]


def test_a_file_that_is_not_there_is_a_fault(folder):
    (folder.root / "p.nii").unlink()
    cohort = read(spec(folder.root), "table")
    assert "pet" not in cohort.cases[0].sources
    assert any("p.nii: is not there; fetch it or write n/a" in str(one) for one in cohort.faults)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("x" * 5000, "cannot be looked for (File name too long); mend the path, or write n/a"),
        ("C:\\data\\p.nii", "is not there; write the path with / and below the root"),
        ("loop", "is not there; fetch it or write n/a"),
    ],
)
def test_a_path_that_leads_nowhere_is_a_fault_of_its_item_alone(folder, path, reason):
    (folder.root / "loop").symlink_to("loop")
    table = folder.root / "cases.tsv"
    table.write_text(table.read_text().replace("p.nii", path))
    cohort = read(spec(folder.root), "table")
    assert f"one pet: {folder.root / path}: {reason}" in map(str, cohort.faults)
    assert set(cohort.cases[0].sources) == {"mri", "clinical"}


@pytest.mark.parametrize("nameless", ["", "n/a"])
def test_a_row_without_the_id_of_a_case_is_no_case(folder, nameless):
    with (folder.root / "cases.tsv").open("a") as file:
        for _ in range(2):
            file.write(f"{nameless}\ts6\tB\tb.nii.gz\tn/a\tn/a\t71\t20\tAD\n")
    cohort = read(spec(folder.root), "table")
    assert [case.id for case in cohort.cases] == ["one", "two"]
    assert "cases.tsv: 2 row(s) without case_id; name each case" in map(str, cohort.faults)


def test_a_table_of_one_column_has_another_separator(folder):
    table = folder.root / "cases.tsv"
    table.write_text(table.read_text().replace("\t", ";"))
    with pytest.raises(DataError, match=r"a \.tsv has tabs between its cells"):
        read(spec(folder.root), "table")


def test_a_covariate_that_is_no_column_is_named(folder):
    with pytest.raises(DataError, match="the column 'agee' is missing"):
        read(spec(folder.root, covariates=["agee"]), "table")


def test_a_table_of_many_columns_is_not_listed_whole(folder):
    folder.table("cases.tsv", " ".join(["id", *(f"x{place}" for place in range(700))]))
    with pytest.raises(DataError, match=r"'case_id' is missing .*x18, \.\.\.\)") as told:
        read(spec(folder.root), "table")
    assert "x19" not in str(told.value)


def test_two_rows_of_one_case_are_refused_both(folder):
    with (folder.root / "cases.tsv").open("a") as file:
        file.write("two\ts1\tB\tb.nii.gz\tn/a\tn/a\t71\t20\tAD\n")
        file.write("six\ts6\tB\tb.nii.gz\tn/a\tn/a\t71\t20\tAD\n")
    cohort = read(spec(folder.root), "table")
    assert [case.id for case in cohort.cases] == ["one", "six"]
    assert "two: stands in 2 rows of cases.tsv; keep one" in map(str, cohort.faults)


@pytest.mark.parametrize("column", ["mri_2", "mmse", "dx", "case_id"])
def test_a_column_that_is_missing_is_named(folder, column):
    text = (folder.root / "cases.tsv").read_text().replace(f"{column}\t", "other\t", 1)
    text = text.replace(f"\t{column}\n", "\tother\n", 1)
    (folder.root / "cases.tsv").write_text(text)
    with pytest.raises(DataError, match=f"the column '{column}' is missing"):
        read(spec(folder.root), "table")


def test_a_missing_table_or_folder_is_refused(folder, tmp_path):
    with pytest.raises(DataError, match="is not there"):
        read(spec(folder.root, table="none.csv"), "table")
    with pytest.raises(NothingReadable, match="is no folder"):
        read(spec(tmp_path / "none"), "table")
    with pytest.raises(StudyError, match=r"cohort.root"):
        read(spec(None), "table")


def test_a_case_id_is_never_a_path(folder):
    folder.table("cases.tsv", "case_id mri dx", "../../x<b> a.nii.gz CN", "two b.nii.gz AD")
    modalities = {"mri": {"kind": "volume", "columns": ["mri"]}}
    cohort = read(spec(folder.root, modalities=modalities), "table")
    assert cohort.cases[0].id == "../../x<b>"
    assert cohort.cases[0].sources["mri"][0].path == folder.root / "a.nii.gz"


@pytest.fixture
def pictures(folder):
    """Two cases of pictures at two magnifications; one owns three at the lower one."""
    for name in ("a", "b", "c", "d", "e"):
        save_picture(folder.root / f"{name}.png")
    folder.table(
        "cases.tsv",
        "case_id x40 x100 dx",
        "one a.png;b.png;c.png d.png CN",
        "two e.png;n/a n/a AD",
    )
    return folder


def save_picture(path):
    pixels = np.random.default_rng(ord(path.name[0])).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


PICTURES = {
    name: {"kind": "image", "columns": [name], "separator": ";"} for name in ("x40", "x100")
}


def test_a_cell_may_name_several_images(pictures):
    cohort = look(read(spec(pictures.root, modalities=PICTURES), "table"))
    assert dict(cohort.kinds) == {"x40": "image", "x100": "image"}
    one, two = cohort.cases
    assert [source.path.name for source in one.sources["x40"]] == ["a.png", "b.png", "c.png"]
    assert [source.path.name for source in two.sources["x40"]] == ["e.png"]
    assert "x100" not in two.sources
    assert cohort.faults == ()


def test_without_a_separator_a_cell_is_one_path(pictures):
    modalities = {"x40": {"kind": "image", "columns": ["x40"]}}
    with pytest.raises(NothingReadable, match=r"a\.png;b\.png;c\.png: is not there"):
        read(spec(pictures.root, modalities=modalities), "table")


def test_images_are_looked_at_to_the_last_pixel(pictures):
    broken = pictures.root / "b.png"
    broken.write_bytes(broken.read_bytes()[:-30])
    (pictures.root / "e.png").write_bytes(b"<html>404</html>")
    cohort = look(read(spec(pictures.root, modalities=PICTURES), "table"), jobs=2)
    assert [len(case.sources["x40"]) for case in cohort.cases] == [2]
    reasons = [str(fault) for fault in cohort.faults]
    assert reasons[0].startswith(f"one x40: {broken}: truncated")
    assert "is a web page (HTML)" in reasons[1]
    assert reasons[-1] == "two: nothing of it can be read; left out"


@pytest.mark.shared
def test_real_pet_and_mr_volumes_are_named_by_a_table(data, tmp_path):
    root = data / "pet-mr-ct-sts" / "nifti"
    table = tmp_path / "cases.csv"
    rows = [f"{s},{s}/MR_T1_image.nii.gz,{s}/PET_image.nii.gz" for s in ("STS_003", "STS_018")]
    table.write_text("case_id,mri,pet\n" + "\n".join(rows) + "\n")
    modalities = {name: {"kind": "volume", "columns": [name]} for name in ("mri", "pet")}
    cohort = look(read(spec(root, table=table, modalities=modalities, label=None), "sts"))
    assert cohort.owned().to_numpy().tolist() == [[True, True], [True, True]]
    assert cohort.faults == ()
