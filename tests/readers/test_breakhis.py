"""What names of BreakHis say; the names themselves are of the published set."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmmed.errors import DataError
from mmmed.readers.breakhis import MAGNIFICATIONS, SUBTYPES, parse


def test_a_name_tells_class_subtype_patient_slide_magnification_and_sequence() -> None:
    said = parse("SOB_B_TA-14-3411F-100-007.png")
    assert (said.diagnosis, said.subtype, said.magnification, said.sequence) == (
        "benign", "TA", 100, 7
    )  # fmt: skip
    assert (said.slide, said.patient) == ("TA-14-3411F", "14-3411")


def test_a_number_under_two_subtypes_is_one_patient_with_two_slides() -> None:
    ductal, lobular = parse("SOB_M_DC-14-13412-40-001.png"), parse("SOB_M_LC-14-13412-40-002.png")
    assert ductal.patient == lobular.patient
    assert ductal.slide != lobular.slide


@pytest.mark.parametrize(
    "name",
    [
        "notes.txt",
        "SOB_B_F.png",
        "sub-1_T1w.nii.gz",
        "SOB_B_F-14-25197-40.png",
        "SOB_B_F-14-25197-40-001.json",
    ],
)
def test_other_names_are_none_of_breakhis(name: str) -> None:
    assert parse(name) is None


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("SOB_B_DC-14-1-40-001.png", "DC is malignant, its class 'B' is not"),
        ("SOB_X_F-14-1-40-001.png", "F is benign, its class 'X' is not"),
        ("SOB_B_XX-14-1-40-001.png", "no subtype 'XX'"),
        ("SOB_B_F-14-1-63-001.png", "no magnification 63; allowed: 40, 100, 200, 400"),
    ],
)
def test_a_name_that_contradicts_itself_is_refused(name: str, why: str) -> None:
    with pytest.raises(DataError, match=why):
        parse(name)


@pytest.mark.parametrize("ending", ["png", "PNG", "jpg", "jpeg", "tif", "tiff"])
def test_any_kind_of_image_is_read(ending: str) -> None:
    assert parse(f"SOB_B_F-14-25197-40-001.{ending}") == parse("SOB_B_F-14-25197-40-001.png")


@pytest.mark.parametrize("subtype", SUBTYPES)
@pytest.mark.parametrize("magnification", MAGNIFICATIONS)
def test_every_subtype_and_magnification_is_read(subtype: str, magnification: int) -> None:
    letter = SUBTYPES[subtype][0].upper()
    said = parse(f"SOB_{letter}_{subtype}-14-25197-{magnification}-001.png")
    assert (said.subtype, said.magnification) == (subtype, magnification)


@pytest.mark.shared
def test_the_names_of_real_images_are_read(data: Path) -> None:
    found = [parse(path.name) for path in sorted((data / "breakhis").glob("*.png"))]
    assert len(found) == 11
    assert {one.magnification for one in found if one.patient == "14-25197"} == {40, 100, 200, 400}
