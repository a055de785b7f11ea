"""Headers of a PET series of six slices, as a scanner writes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import EnhancedPETImageStorage, PositronEmissionTomographyImageStorage

SLICES = 6
ISOTOPE_KEYS = (
    "RadiopharmaceuticalStartTime",
    "RadiopharmaceuticalStartDateTime",
    "RadionuclideTotalDose",
    "RadionuclideHalfLife",
    "Radiopharmaceutical",
)
USUAL: dict[str, Any] = {
    "SOPClassUID": PositronEmissionTomographyImageStorage,
    "Modality": "PT",
    "SeriesDate": "20240229",
    "SeriesTime": "110036.00",
    "AcquisitionDate": "20240229",
    "AcquisitionTime": "110036.00",
    "PatientWeight": "90",
    "PatientSize": "1.80",
    "PatientSex": "M",
    "Units": "BQML",
    "DecayCorrection": "START",
    "CorrectedImage": ["DECY", "ATTN", "SCAT"],
    "SeriesType": ["STATIC", "IMAGE"],
    "RadiopharmaceuticalStartTime": "093200.00",
    "RadionuclideTotalDose": "474592928",
    "RadionuclideHalfLife": "6588",
}
"""The figures of a real slice whose factor was worked out by hand: 3.3176370742e-4."""

Build = Callable[..., list[Dataset]]


@pytest.fixture
def build() -> Build:
    """Headers of six slices; `None` leaves a value out, a list gives one value per slice."""

    def _build(**changed: Any) -> list[Dataset]:
        per_slice = {key: value for key, value in changed.items() if key.startswith("each_")}
        values = {**USUAL, **{key: one for key, one in changed.items() if key not in per_slice}}
        return [_header(values, per_slice, index) for index in range(SLICES)]

    return _build


def _header(values: dict[str, Any], per_slice: dict[str, Any], index: int) -> Dataset:
    own = {**values, **{key.removeprefix("each_"): one[index] for key, one in per_slice.items()}}
    header, isotope = Dataset(), Dataset()
    for key, value in own.items():
        if value is not None:
            setattr(isotope if key in ISOTOPE_KEYS else header, key, value)
    header.RadiopharmaceuticalInformationSequence = [isotope]
    return header


@pytest.fixture
def philips() -> Callable[..., None]:
    """Adds Philips' private block to headers."""

    def _add(
        headers: list[Dataset],
        *,
        suv: str | None = None,
        activity: str | None = None,
        block: int = 0x10,
    ) -> None:
        for header in headers:
            header.add_new((0x7053, block), "LO", "Philips PET Private Group")
            for element, value in ((0x00, suv), (0x09, activity)):
                if value is not None:
                    header.add_new((0x7053, (block << 8) + element), "DS", value)

    return _add


@pytest.fixture
def enhanced() -> Callable[..., Dataset]:
    """The header of an enhanced PET of four frames, with its unit in the mapping."""

    def _enhanced(code: str = "Bq/ml", *, slopes: tuple[float, ...] = (2.0,) * 4) -> Dataset:
        header, isotope = Dataset(), Dataset()
        header.SOPClassUID = EnhancedPETImageStorage
        header.Modality = "PT"
        header.PatientWeight = "90"
        header.DecayCorrected = "YES"
        header.AttenuationCorrected = "YES"
        header.DecayCorrectionDateTime = "20240229110036"
        isotope.RadionuclideTotalDose = "474.592928"
        isotope.RadionuclideHalfLife = "6588"
        isotope.RadiopharmaceuticalStartDateTime = "20240229093200"
        header.RadiopharmaceuticalInformationSequence = [isotope]
        header.PerFrameFunctionalGroupsSequence = [_frame(code, slope) for slope in slopes]
        return header

    return _enhanced


def _frame(code: str, slope: float) -> Dataset:
    frame, rescale, mapping, unit = Dataset(), Dataset(), Dataset(), Dataset()
    rescale.RescaleSlope, rescale.RescaleIntercept = "2", "0"
    unit.CodeValue, unit.CodingSchemeDesignator, unit.CodeMeaning = code, "UCUM", code
    mapping.RealWorldValueSlope, mapping.RealWorldValueIntercept = slope, 0.0
    mapping.MeasurementUnitsCodeSequence = [unit]
    frame.PixelValueTransformationSequence = [rescale]
    frame.RealWorldValueMappingSequence = [mapping]
    return frame
