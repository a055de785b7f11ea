"""Slides with any number of images at some of four magnifications, as a cohort."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmmed.cohorts.breakhis import BreakHisCohort
from mmmed.cohorts.cohort import Cohort
from mmmed.cohorts.reading import read
from mmmed.cohorts.split_spec import Holdout
from mmmed.cohorts.splits import check_leakage, split
from mmmed.errors import DataError, NothingReadable, StudyError

MODALITIES = {f"x{one}": {"magnification": one} for one in (40, 100, 200, 400)}
OFFICIAL = "BreaKHis_v1/histology_slides/breast"
NAMES = (
    f"{OFFICIAL}/benign/SOB/fibroadenoma/SOB_B_F_14-25197/40X/SOB_B_F-14-25197-40-002.png",
    f"{OFFICIAL}/benign/SOB/fibroadenoma/SOB_B_F_14-25197/40X/SOB_B_F-14-25197-40-001.png",
    f"{OFFICIAL}/benign/SOB/fibroadenoma/SOB_B_F_14-25197/400X/SOB_B_F-14-25197-400-001.png",
    f"{OFFICIAL}/malignant/SOB/ductal_carcinoma/SOB_M_DC_14-13412/40X/SOB_M_DC-14-13412-40-001.png",
    f"{OFFICIAL}/malignant/SOB/lobular_carcinoma/SOB_M_LC_14-13412/100X/SOB_M_LC-14-13412-100-001.png",
)


def spec(root: Path | None, **changed) -> BreakHisCohort:
    label = {"column": "diagnosis", "classes": ["benign", "malignant"]}
    values = {"kind": "breakhis", "root": root, "modalities": MODALITIES, "label": label}
    return BreakHisCohort.model_validate({**values, **changed})


def tree(root: Path, *names: str) -> Path:
    for name in names or NAMES:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"a picture")
    return root


def cohort(root: Path, **changed) -> Cohort:
    return read(spec(root, **changed), "breakhis")


def test_the_official_tree_is_a_case_per_slide_with_each_image_an_item(tmp_path: Path) -> None:
    found = cohort(tree(tmp_path))
    items = {
        case.id: {name: len(own) for name, own in case.sources.items()} for case in found.cases
    }
    assert items == {
        "DC-14-13412": {"x40": 1},
        "F-14-25197": {"x40": 2, "x400": 1},
        "LC-14-13412": {"x100": 1},
    }
    assert [found.classes[case.label] for case in found.cases] == [
        "malignant",
        "benign",
        "malignant",
    ]
    assert [source.path.name[-7:] for source in found.cases[1].sources["x40"]] == [
        "001.png",
        "002.png",
    ]


def test_one_number_under_two_subtypes_is_one_subject(tmp_path: Path) -> None:
    found = cohort(tree(tmp_path))
    assert {case.id: case.subject for case in found.cases if "13412" in case.id} == {
        "DC-14-13412": "14-13412",
        "LC-14-13412": "14-13412",
    }


def test_any_folder_of_true_names_reads_the_same(tmp_path: Path) -> None:
    flat = tree(tmp_path / "flat", *(Path(name).name for name in NAMES))
    deep = tree(tmp_path / "deep")
    assert [case.id for case in cohort(flat).cases] == [case.id for case in cohort(deep).cases]


def test_the_label_may_be_the_subtype(tmp_path: Path) -> None:
    label = {"column": "subtype", "classes": ["F", "DC"], "exclude": ["LC"]}
    found = cohort(tree(tmp_path), label=label, positive="DC")
    assert [case.id for case in found.cases] == ["DC-14-13412", "F-14-25197"]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("SOB_B_F-14-1-63-001.png", "no magnification 63"),
        ("SOB_B_DC-14-1-40-001.png", "DC is malignant"),
    ],
)
def test_a_name_that_cannot_be_is_one_fault_and_the_rest_goes_on(
    tmp_path: Path, name: str, why: str
) -> None:
    found = cohort(tree(tmp_path, *NAMES, name))
    assert len(found.cases) == 3
    (fault,) = found.faults
    assert why in fault.reason


def test_two_files_of_one_name_are_refused_both(tmp_path: Path) -> None:
    found = cohort(tree(tmp_path, *NAMES, "again/SOB_B_F-14-25197-40-001.png"))
    (fault,) = found.faults
    assert (fault.where, fault.modality) == ("F-14-25197", "x40")
    assert {case.id: len(case.sources["x40"]) for case in found.cases if "F-" in case.id} == {
        "F-14-25197": 1
    }


def test_a_label_in_the_name_that_contradicts_the_table_leaves_the_slide_out(
    tmp_path: Path,
) -> None:
    tree(tmp_path)
    rows = ["slide\tdiagnosis\tage", "F-14-25197\tmalignant\t50", "DC-14-13412\tmalignant\t60"]
    (tmp_path / "slides.tsv").write_text("\n".join([*rows, ""]))
    label = {"column": "subtype", "classes": ["DC", "LC"]}
    found = cohort(tmp_path, table="slides.tsv", label=label, positive="LC")
    assert [case.id for case in found.cases] == ["DC-14-13412", "LC-14-13412"]
    assert found.cases[0].covariates["age"] == 60.0
    (fault,) = found.faults
    assert fault.reason == "its diagnosis is malignant in slides.tsv, benign in its names; left out"


def test_of_a_slide_in_two_rows_nothing_of_the_table_is_known(tmp_path: Path) -> None:
    tree(tmp_path)
    rows = ["slide\tage", "F-14-25197\t50", "F-14-25197\t60", "DC-14-13412\t70", "n/a\t1", "n/a\t2"]
    (tmp_path / "slides.tsv").write_text("\n".join([*rows, ""]))
    found = cohort(tmp_path, table="slides.tsv")
    assert {case.id: dict(case.covariates) for case in found.cases} == {
        "DC-14-13412": {"subtype": "DC", "age": 70.0},
        "F-14-25197": {"subtype": "F"},
        "LC-14-13412": {"subtype": "LC"},
    }
    (fault,) = found.faults
    assert str(fault) == "F-14-25197: stands in 2 rows of slides.tsv; keep one"


def test_a_table_that_is_not_there_is_missed_where_a_label_is_asked_for(tmp_path: Path) -> None:
    tree(tmp_path)
    assert len(cohort(tmp_path, table="slides.tsv", label=None).cases) == 3
    with pytest.raises(DataError, match=r"slides\.tsv: is not there"):
        cohort(tmp_path, table="slides.tsv")


def test_a_file_beside_an_image_refuses_no_image(tmp_path: Path) -> None:
    found = cohort(tree(tmp_path, *NAMES, NAMES[0].replace(".png", ".json")))
    assert found.faults == ()
    assert [len(case.sources.get("x40", ())) for case in found.cases] == [1, 2, 0]


def test_a_folder_without_such_names_and_no_folder_say_so(tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(b"")
    with pytest.raises(NothingReadable, match="holds no image named as in BreakHis"):
        cohort(tmp_path)
    with pytest.raises(NothingReadable, match="is no folder"):
        cohort(tmp_path / "gone")
    with pytest.raises(StudyError, match=r"cohort\.root=DIR"):
        read(spec(None), "breakhis")
    (tmp_path / "t.csv").write_text("id\n1\n")
    with pytest.raises(DataError, match="the column 'slide' is missing"):
        cohort(tree(tmp_path), table="t.csv")


def many(root: Path) -> Cohort:
    """82 slides of which number 13412 stands under two subtypes, in the published proportions."""
    counts = {"DC": 38, "F": 10, "MC": 9, "TA": 7, "PC": 6, "LC": 5, "A": 4, "PT": 3}
    names = []
    for place, (subtype, count) in enumerate(counts.items()):
        letter = "M" if subtype in ("DC", "MC", "PC", "LC") else "B"
        numbers = [1000 * (place + 1) + one for one in range(count)]
        if subtype in ("DC", "LC"):
            numbers[0] = 13412
        names += [f"SOB_{letter}_{subtype}-14-{number}-40-001.png" for number in numbers]
    return cohort(tree(root, *names))


def test_five_repeated_hold_outs_keep_a_number_together_and_are_alike_in_subtype(
    tmp_path: Path,
) -> None:
    found = many(tmp_path)
    folds = split(found, Holdout(repeats=5, stratify="subtype"))
    assert [fold.name for fold in folds] == [f"holdout-{one}" for one in range(5)]
    assert len({fold.part.to_numpy().tobytes() for fold in folds}) == 5
    for fold in folds:
        check_leakage(fold, found.subjects())
        assert fold.part["DC-14-13412"] == fold.part["LC-14-13412"]
        tested = [case.split("-")[0] for case in fold.cases("test")]
        assert len(tested) in (16, 17)
        assert 6 <= tested.count("DC") <= 9
        assert 1 <= tested.count("F") <= 3


def test_a_stratum_that_nobody_records_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"splits\.stratify: no column 'grade' is recorded"):
        split(many(tmp_path), Holdout(stratify="grade"))
