"""The JSON beside a converted volume: where it comes from, its geometry, and what a PET's unit is.

Only what is named here is taken from the headers. Names, dates of birth and IDs are not; times are
in seconds, as BIDS writes them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pydicom import Dataset

from mmmed.errors import MmmedError
from mmmed.readers.dicom.elements import read_data_set
from mmmed.readers.dicom.line import one_line, reason_line, shown_path
from mmmed.readers.dicom.series import SeriesVolume
from mmmed.readers.dicom.vocabulary import without
from mmmed.readers.silence import silent
from mmmed.readers.suv.decision import derive

_TAKEN: Mapping[str, str] = {
    "Modality": "Modality",
    "Manufacturer": "Manufacturer",
    "ManufacturersModelName": "ManufacturerModelName",
    "MagneticFieldStrength": "MagneticFieldStrength",
    "BodyPart": "BodyPartExamined",
    "SeriesDescription": "SeriesDescription",
    "ProtocolName": "ProtocolName",
    "SeriesNumber": "SeriesNumber",
    "ImageType": "ImageType",
    "ScanningSequence": "ScanningSequence",
    "SequenceVariant": "SequenceVariant",
    "MRAcquisitionType": "MRAcquisitionType",
    "FlipAngle": "FlipAngle",
    "Units": "Units",
    "DecayCorrection": "DecayCorrection",
    "AttenuationCorrection": "AttenuationCorrectionMethod",
    "StudyInstanceUID": "StudyInstanceUID",
    "SeriesInstanceUID": "SeriesInstanceUID",
}
"""Field of the sidecar -> keyword of DICOM."""

_FREE = ("SeriesDescription", "ProtocolName")
"""What people write as they like; names in it are taken out."""

_SECONDS: Mapping[str, str] = {
    "EchoTime": "EchoTime",
    "RepetitionTime": "RepetitionTime",
    "InversionTime": "InversionTime",
}
"""The same, of times that DICOM states in milliseconds."""

_BROKEN = (ArithmeticError, AttributeError, EOFError, LookupError, OSError, TypeError, ValueError)
"""What pydicom raises over a damaged value; the field is left out."""

_PET = "PT"


def sidecar(volume: SeriesVolume, *, root: Path, suv: Mapping[str, Any]) -> dict[str, Any]:
    """The sidecar of a volume.

    Args:
        volume: of which.
        root: the input; paths are told as seen from it.
        suv: what is known of its series, see `suv_of`.
    """
    first = read_data_set(volume.paths[0])
    with silent():
        said = {field: _plain(first, keyword) for field, keyword in _TAKEN.items()}
        person = [_written(first, keyword) for keyword in ("PatientName", "PatientID")]
        said |= {field: without(str(said[field]), person) for field in _FREE if said[field]}
        times = {field: _seconds(first, keyword) for field, keyword in _SECONDS.items()}
    return {
        **{field: value for field, value in {**said, **times}.items() if value not in (None, "")},
        "Volume": volume.label or "the only one of its series",
        "Geometry": _geometry(volume),
        **({"SUV": suv} if suv else {}),
        "Notes": [reason_line(note, root) for note in volume.notes],
        "Sources": [shown_path(path.relative_to(root)) for path in volume.paths],
    }


def suv_of(volume: SeriesVolume, *, root: Path) -> Mapping[str, Any]:
    """How the values of a PET come to SUVbw, or why they cannot; empty for anything else.

    Args:
        volume: any of the series: what is found holds for all of them.
        root: the input; paths are told as seen from it.
    """
    with silent():
        if _plain(read_data_set(volume.paths[0]), "Modality") != _PET:
            return {}
    try:
        with silent():
            return derive(volume.series.headers).to_json()
    except MmmedError as error:
        return {"refused": reason_line("; ".join(str(error).splitlines()), root)}


def _geometry(volume: SeriesVolume) -> dict[str, Any]:
    affine = volume.volume.affine
    return {
        "Orientation": "RAS",
        "Shape": list(volume.volume.data.shape),
        "VoxelSize": [round(float(one), 6) for one in np.linalg.norm(affine[:3, :3], axis=0)],
        "VoxelSizeUnit": "mm",
        "Affine": [[float(one) for one in row] for row in affine],
        "Slices": len(volume.frames),
    }


def _plain(header: Dataset, keyword: str) -> Any:
    """A value that JSON can hold; None where the header has none that makes sense."""
    try:
        return _json(header.get(keyword))
    except _BROKEN:
        return None


def _written(header: Dataset, keyword: str) -> str:
    """A value as text, also where it is no text to pydicom, as names are."""
    try:
        return str(header.get(keyword, ""))
    except _BROKEN:
        return ""


def _seconds(header: Dataset, keyword: str) -> float | None:
    value = _plain(header, keyword)
    return round(value / 1000, 9) if isinstance(value, int | float) else None


def _json(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value and one_line(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return [_json(one) for one in list(value)[:16]]
