"""What unit the rescaled values have.

DICOM PS3.3 C.8.9.1 states it as Units (0054,1001) and SUV Type (0054,1006); an enhanced image as
the unit's code in a Real World Value Mapping (C.7.6.16.2.11), which has a slope and an intercept of
its own. Where that is not the rescale of the frame, `scale` leads from one to the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from pydicom.dataset import Dataset

from mmmed.errors import UnitsError
from mmmed.readers.dicom.damage import DAMAGED
from mmmed.readers.suv.element import missing, name, tag_of
from mmmed.readers.suv.place import items_of, text_of
from mmmed.readers.suv.reading import Reading

MAPPING = "RealWorldValueMappingSequence"
MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "CNTS": "counts",
        "NONE": "no unit",
        "CM2": "cm2",
        "CM2ML": "cm2/mL",
        "PCNT": "percent",
        "CPS": "counts per second",
        "BQML": "Bq/mL",
        "MGMINML": "mg/min/mL",
        "UMOLMINML": "umol/min/mL",
        "MLMING": "mL/min/g",
        "MLG": "mL/g",
        "1CM": "1/cm",
        "UMOLML": "umol/mL",
        "PROPCNTS": "proportional to counts",
        "PROPCPS": "proportional to counts per second",
        "MLMINML": "mL/min/mL",
        "MLML": "mL/mL",
        "GML": "g/mL",
        "STDDEV": "standard deviations",
    }
)
"""The defined terms of Units (0054,1001)."""

LINEAR = ("BQML", "CNTS", "CPS", "PROPCNTS", "PROPCPS", "GML", "CM2ML")
"""Units in which a value is proportional to the tracer's concentration."""

_KNOWN: tuple[tuple[str, tuple[str, str]], ...] = (
    ("Bq/ml", ("BQML", "")),
    ("g/ml{SUVbw}", ("GML", "BW")),
    ("g/ml{SUVlbm}", ("GML", "LBM")),
    ("g/ml{SUVlbm(James128)}", ("GML", "LBMJAMES128")),
    ("g/ml{SUVlbm(Janma)}", ("GML", "LBMJANMA")),
    ("g/ml{SUVibw}", ("GML", "IBW")),
    ("cm2/ml{SUVbsa}", ("CM2ML", "BSA")),
    ("{counts}", ("CNTS", "")),
)
"""Codes of UCUM (DICOM CID 84, CID 85), the best first, and their Units and SUV Type."""

_SAME = 1e-6
"""Share by which the scales of two frames may differ: what rounding of a DS leaves."""


@dataclass(frozen=True)
class StatedUnit:
    """The unit of `value * scale`, a value being a stored one after the rescale of its frame.

    Attributes:
        units: a term of `MEANINGS`.
        suv_type: of SUV Type (0054,1006); "" where none is stated.
        scale: 1 unless a Real World Value Mapping differs from the rescale.
    """

    units: str
    suv_type: str
    scale: float = 1.0


def stated_unit(reading: Reading) -> StatedUnit:
    """The one unit of the series.

    Raises:
        UnitsError: none is stated, several are, or it is no term of DICOM.
    """
    units = reading.text("Units")
    if units is None:
        return _mapped(reading)
    if units not in MEANINGS:
        raise UnitsError(f"{name('Units')} is {units}, which DICOM does not define")
    return StatedUnit(units, reading.text("SUVType") or "")


def _mapped(reading: Reading) -> StatedUnit:
    """The unit by the mappings of the frames, activity before SUV where both are given."""
    mappings = _with(reading, "RealWorldValueSlope")
    by_code = {known: [one for one in mappings if _code(one) == code] for code, known in _KNOWN}
    known = next((one for one, items in by_code.items() if items), None)
    if known is None:
        raise missing("Units", "MeasurementUnitsCodeSequence")
    items = by_code[known]
    scale = _scale(
        _lines(items, "RealWorldValueSlope", "RealWorldValueIntercept"),
        _lines(_with(reading, "RescaleSlope"), "RescaleSlope", "RescaleIntercept"),
    )
    reading.step(f"unit by {MAPPING}")
    return StatedUnit(*known, scale=scale)


def _with(reading: Reading, keyword: str) -> list[Dataset]:
    return [place for place in reading.places if tag_of(keyword) in place]


def _code(mapping: Dataset) -> str:
    """The unit's code, an annotation in front of it moved behind: `{SUVbw}g/ml`, `Bq/mL`."""
    items = items_of(mapping, "MeasurementUnitsCodeSequence")
    code = text_of(items[0], "CodeValue") if len(items) == 1 else ""
    annotation, closing, unit = code.partition("}")
    return (unit + annotation + closing if unit else code).replace("/mL", "/ml")


def _lines(places: Sequence[Dataset], slope: str, intercept: str) -> np.ndarray:
    """(frames or 1, 2) slope and intercept."""
    try:
        pairs = [(float(one[slope].value), float(one.get(intercept) or 0)) for one in places]
    except DAMAGED as error:
        raise UnitsError(f"{name(slope)} or {name(intercept)} is no number") from error
    return np.array(pairs or [(1.0, 0.0)], dtype=np.float64)


def _scale(mappings: np.ndarray, rescales: np.ndarray) -> float:
    """What leads from rescaled to mapped values: one factor for all frames, or a refusal."""
    if len(mappings) != len(rescales) and 1 not in (len(mappings), len(rescales)):
        raise UnitsError(
            f"{len(mappings)} real world value mappings and {len(rescales)} rescales; each frame "
            "needs one of both"
        )
    if not (np.isfinite(mappings).all() and np.isfinite(rescales).all() and rescales[:, 0].all()):
        raise UnitsError(f"{name('RescaleSlope')} is 0, or a slope or an intercept is no number")
    scales = mappings[:, 0] / rescales[:, 0]
    offsets = mappings[:, 1] - scales * rescales[:, 1]
    if not np.allclose(scales, scales[0], rtol=_SAME, atol=0) or scales[0] <= 0:
        raise UnitsError(f"{name(MAPPING)} is no one multiple of the rescale of all frames")
    if not np.allclose(offsets, 0, rtol=0, atol=_SAME * np.abs(mappings).max()):
        raise UnitsError(f"{name(MAPPING)} and the rescale of the frames differ by an offset")
    return float(scales[0])
