"""Folds as lists state them, on a cohort of slides: who is where, and what leaks."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmmed.cohorts.breakhis import BreakHisCohort
from mmmed.cohorts.cohort import Cohort
from mmmed.cohorts.reading import read
from mmmed.cohorts.split_spec import Lists
from mmmed.cohorts.splits import Fold, split
from mmmed.errors import DataError, LeakageError

SUBTYPES = {"B": ("F", "TA"), "M": ("DC", "LC")}
TESTED = ("5", "9")
"""Slides of each subtype have the numbers 10 to 19; those that end so are tested."""


def image(subtype: str, number: int, sequence: int = 1) -> str:
    letter = "B" if subtype in SUBTYPES["B"] else "M"
    return f"SOB_{letter}_{subtype}-14-{number}-40-{sequence:03d}.png"


def slides() -> list[str]:
    """Two images of each of 40 slides; 13412 is a slide of DC and one of LC."""
    numbers = {"F": 100, "TA": 200, "DC": 300, "LC": 400}
    own = [(kind, base + place) for kind, base in numbers.items() for place in range(10, 20)]
    return [
        image(kind, number, sequence)
        for kind, number in [*own, ("DC", 13412), ("LC", 13412)]
        for sequence in (1, 2)
    ]


def line(name: str, *, fold: int = 1, side: str | None = None) -> str:
    number = name.split("-")[2]
    tested = number.endswith(TESTED) or "LC-14-13412" in name
    return f"{name}|40|{fold}|{side or ('test' if tested else 'train')}"


@pytest.fixture
def cohort(tmp_path: Path) -> Cohort:
    root = tmp_path / "images"
    root.mkdir()
    for name in slides():
        (root / name).write_bytes(b"a picture")
    spec = BreakHisCohort.model_validate(
        {
            "kind": "breakhis",
            "root": root,
            "modalities": {"x40": {"magnification": 40}},
            "label": {"column": "diagnosis", "classes": ["benign", "malignant"]},
        }
    )
    return read(spec, "breakhis")


def folds(cohort: Cohort, path: Path, *lines: str, **chosen: object) -> tuple[Fold, ...]:
    path.write_text("\n".join([*lines, ""]))
    spec = {"kind": "lists", "files": [path], "stratify": "subtype", **chosen}
    return split(cohort, Lists.model_validate(spec))


def test_who_is_tested_is_as_given_and_the_rest_is_drawn_by_subject(
    cohort: Cohort, tmp_path: Path
) -> None:
    lines = [line(name) for name in slides()]
    (fold,) = folds(cohort, tmp_path / "a.txt", *lines)
    tested = {case.id for case in cohort.cases if case.id.endswith(TESTED)} | {"LC-14-13412"}
    assert set(fold.cases("test")) == tested
    for part in ("validation", "calibration"):
        found = fold.cases(part)
        assert len(found) == 4  # a tenth of 42
        assert len({case.split("-")[0] for case in found}) >= 3
    (again,) = folds(cohort, tmp_path / "a.txt", *lines)
    (other,) = folds(cohort, tmp_path / "a.txt", *lines, seed=1)
    assert fold.part.equals(again.part)
    assert not fold.part.equals(other.part)


def test_a_subject_on_both_sides_is_named_with_its_images(cohort: Cohort, tmp_path: Path) -> None:
    (fold,) = folds(cohort, tmp_path / "a.txt", *[line(name) for name in slides()])
    assert (fold.part["DC-14-13412"], fold.part["LC-14-13412"]) == ("train", "test")
    assert [(leak.subject, leak.name, leak.tested) for leak in fold.leaks] == [
        ("14-13412", image("DC", 13412, 1), False),
        ("14-13412", image("DC", 13412, 2), False),
        ("14-13412", image("LC", 13412, 1), True),
        ("14-13412", image("LC", 13412, 2), True),
    ]
    assert fold.remarks == (
        (
            "fold-1: subject 14-13412 leaks: DC-14-13412 in train (2 listed), "
            "LC-14-13412 in test (2 listed)"
        ),
    )


def test_who_leaks_is_never_drawn_for_validation_or_calibration(
    cohort: Cohort, tmp_path: Path
) -> None:
    lines = [line(name) for name in slides()]
    parts = {
        folds(cohort, tmp_path / "a.txt", *lines, seed=seed)[0].part["DC-14-13412"]
        for seed in range(20)
    }
    assert parts == {"train"}


def test_leaks_may_be_refused_or_moved(cohort: Cohort, tmp_path: Path) -> None:
    lines = [line(name) for name in slides()]
    with pytest.raises(LeakageError, match=r"subject 14-13412 leaks: .*splits\.leaks=report"):
        folds(cohort, tmp_path / "a.txt", *lines, leaks="refuse")
    (fold,) = folds(cohort, tmp_path / "a.txt", *lines, leaks="move")
    assert (fold.part["DC-14-13412"], fold.part["LC-14-13412"]) == ("test", "test")
    assert fold.remarks[0].endswith("; all of it is tested")
    assert fold.part.groupby(cohort.subjects()).nunique().max() == 1


def test_lists_without_a_leak_pass_where_leaks_are_refused(cohort: Cohort, tmp_path: Path) -> None:
    lines = [line(name) for name in slides() if "13412" not in name]
    (fold,) = folds(cohort, tmp_path / "a.txt", *lines, leaks="refuse")
    assert fold.leaks == ()
    assert "13412" not in " ".join(fold.part.index)


def test_what_list_and_files_do_not_share_is_one_line_each(cohort: Cohort, tmp_path: Path) -> None:
    half = image("TA", 210, 2)
    kept = [name for name in slides() if "F-14-110-" not in name and name != half]
    lines = [line(name, fold=fold) for fold in (1, 2) for name in kept]
    lost = line("SOB_B_A-14-1-40-001.png", side="train")
    first, second = folds(cohort, tmp_path / "a.txt", *lines, lost, leaks="move")
    assert "fold-1: 1 name(s) in the list, but no file of the cohort; ignored: " in " ".join(
        first.remarks
    )
    case = "fold-1, fold-2: 1 case(s) not in the list; left out of the fold: F-14-110"
    file = f"fold-1, fold-2: 1 file(s) not in the list; it goes with its case: {half}"
    assert case in first.remarks
    assert file in first.remarks
    assert "F-14-110" not in second.part.index
    assert "TA-14-210" in second.part.index


def test_a_case_whose_images_stand_on_both_sides_is_tested(cohort: Cohort, tmp_path: Path) -> None:
    lines = [line(name) for name in slides()] + []
    torn = image("F", 110, 2)
    lines = [line(name, side="test" if name == torn else None) for name in slides()]
    (fold,) = folds(cohort, tmp_path / "a.txt", *lines)
    assert fold.part["F-14-110"] == "test"
    assert (
        "fold-1: images of F-14-110 stand on both sides (1 in test, 1 in train); "
        "it is tested as a whole"
    ) in fold.remarks


def test_a_fold_with_one_side_alone_is_left_out(cohort: Cohort, tmp_path: Path) -> None:
    lines = [line(name) for name in slides()]
    stray = line(image("F", 110), fold=7)
    (fold,) = folds(cohort, tmp_path / "a.txt", *lines, stray)
    assert fold.name == "fold-1"
    assert "fold-7: no case of the cohort is in test; the fold is left out" in fold.remarks
    with pytest.raises(DataError, match="no fold has cases on both sides"):
        folds(cohort, tmp_path / "b.txt", stray)
