"""Which substance a PET shows; codes as in DICOM PS3.16 CID 4021."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset

from mmmed.readers.dicom.description import describe


def _code(value: str, scheme: str, meaning: str = "") -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def _tracer(text: str = "", *codes: Dataset) -> str:
    isotope, header = Dataset(), Dataset()
    isotope.Radiopharmaceutical = text
    isotope.RadiopharmaceuticalCodeSequence = list(codes)
    header.RadiopharmaceuticalInformationSequence = [isotope]
    return describe([header]).tracer


@pytest.mark.parametrize(
    "text",
    ["F-18", "18F", "[18F]", "^18^Fluorine", "Fluorine F^18^", "Solution", "C-11", "O15", "Cu-64"],
)
def test_a_nuclide_or_a_filler_names_no_substance(text: str) -> None:
    assert _tracer(text) == ""


@pytest.mark.parametrize(
    "text", ["FDG -- fluorodeoxyglucose", "18F-AV-45", "T807", "MK6240", "PIB"]
)
def test_a_name_is_kept_as_it_is_written(text: str) -> None:
    assert _tracer(text) == text


def test_a_code_tells_where_no_name_does() -> None:
    assert _tracer("F-18", _code("C-B1031", "SRT")) == "Fluorodeoxyglucose F^18^"
    assert _tracer("", _code("C-B1031", "99SDM")) == "Fluorodeoxyglucose F^18^"
    assert _tracer("", _code("456995000", "SCT")) == "Florbetapir F^18^"
    assert _tracer("", _code("X1", "99LOCAL", "Flortaucipir")) == "Flortaucipir"


def test_a_code_that_says_no_more_is_not_repeated_and_one_that_contradicts_is_told() -> None:
    assert _tracer("Fluorodeoxyglucose F18", _code("35321007", "SCT")) == "Fluorodeoxyglucose F18"
    both = _tracer("FDG", _code("456995000", "SCT"))
    assert both == "FDG / Florbetapir F^18^"
