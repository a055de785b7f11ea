"""Lists of folds, line by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmmed.cohorts.fold_list import read_lists
from mmmed.errors import DataError, StudyError

ADENOSIS = "SOB_B_A-14-22549AB-40-001.png"
DUCTAL = "SOB_M_DC-14-13412-100-002.png"


def written(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*lines, ""]))
    return path


def test_five_folds_lie_in_one_file_or_in_one_each(tmp_path: Path) -> None:
    lines = [f"{ADENOSIS}|40|{fold}|{side}" for fold, side in ((1, "train"), (2, "test"))]
    one = read_lists([written(tmp_path / "all.txt", *lines)])
    folder = tmp_path / "each"
    for number, line in enumerate(lines, start=1):
        written(folder / f"dsfold{number}.txt", line)
    written(folder / "readme.md", "no list")
    assert one.sides == read_lists([folder]).sides == {1: {ADENOSIS: False}, 2: {ADENOSIS: True}}
    assert one.remarks == ()


def test_a_list_of_cases_has_no_magnification(tmp_path: Path) -> None:
    found = read_lists([written(tmp_path / "folds.txt", "sub-001|1|train", "sub-002|1|test")])
    assert found.sides == {1: {"sub-001": False, "sub-002": True}}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (f"{DUCTAL}|40|1|train", f"{DUCTAL} has magnification 100 by name, here '40'"),
        (f"{DUCTAL}|100", "is truncated or no line of a list"),
        (f"{DUCTAL}|100|1|", "is truncated or no line of a list"),
        (f"{DUCTAL}|100|one|train", "unknown fold 'one'"),
        (f"{DUCTAL}|100|0|train", "unknown fold '0'"),
        (f"{DUCTAL}|100|1|trian", "'trian' is no side; allowed: train, test"),
        ("a.png|100|1|train", "a.png is no name of BreakHis"),
        ("SOB_B_DC-14-1-40-001.png|40|1|train", "DC is malignant"),
    ],
)
def test_a_line_that_cannot_be_used_is_told_and_the_rest_goes_on(
    tmp_path: Path, line: str, why: str
) -> None:
    found = read_lists([written(tmp_path / "folds.txt", line, f"{ADENOSIS}|40|1|train")])
    assert found.sides == {1: {ADENOSIS: False}}
    (remark,) = found.remarks
    assert remark.startswith("folds.txt: line 1: ")
    assert why in remark


def test_a_name_on_both_sides_of_a_fold_is_left_out_of_that_fold(tmp_path: Path) -> None:
    lines = [f"{DUCTAL}|100|1|train", f"{DUCTAL}|100|1|test", f"{DUCTAL}|100|2|test"]
    found = read_lists([written(tmp_path / "folds.txt", *lines)])
    assert found.sides == {1: {}, 2: {DUCTAL: True}}
    assert found.remarks == (f"fold-1: {DUCTAL} stands in train and test; left out",)


def test_of_many_names_on_both_sides_the_first_are_told(tmp_path: Path) -> None:
    lines = [f"case-{place}|1|{side}" for place in range(9) for side in ("train", "test")]
    found = read_lists([written(tmp_path / "folds.txt", *lines)])
    assert len(found.remarks) == 6
    assert found.remarks[5] == "fold-1: 4 more names stand so; left out"


def test_of_many_bad_lines_the_first_are_told_and_the_others_counted(tmp_path: Path) -> None:
    found = read_lists([written(tmp_path / "folds.txt", *["\x1b[31mno list"] * 100)])
    assert len(found.remarks) == 6
    assert found.remarks[5] == "folds.txt: 95 more lines cannot be used; left out"
    assert all(remark.isprintable() for remark in found.remarks)


def test_what_is_no_list_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="no such file"):
        read_lists([tmp_path / "dsfold1.txt"])
    with pytest.raises(StudyError, match=r"holds no \.txt file"):
        read_lists([tmp_path])
    (tmp_path / "picture.txt").write_bytes(b"\x89PNG\xff")
    with pytest.raises(DataError, match="is no text in UTF-8"):
        read_lists([tmp_path / "picture.txt"])
