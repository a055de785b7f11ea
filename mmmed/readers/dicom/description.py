"""The facts of a series from its headers, classic or enhanced.

Values are looked for in the header of every file and in the functional groups of every frame. Of a
number that several frames state differently the smallest counts; of texts the first, all of Image
Type and Corrected Image.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from pydicom.dataset import Dataset

from mmmed.readers.dicom.damage import DAMAGED
from mmmed.readers.dicom.facts import SeriesFacts
from mmmed.readers.dicom.line import one_line
from mmmed.readers.suv.reading import Reading

SAME_MM = 0.01
"""Positions closer than this along the normal are one slice."""


def describe(headers: Sequence[Dataset]) -> SeriesFacts:
    """What the headers of one series say that helps to choose among series.

    Args:
        headers: one per file, without pixels, at least one; all of one series.
    """
    reading = Reading.of(headers, several_isotopes=True)
    positions = _vectors(reading, "ImagePositionPatient", 3)
    orientations = _vectors(reading, "ImageOrientationPatient", 6)
    normal = _normal(orientations[0]) if len(orientations) else None
    depths = _depths(positions, normal)
    spacing = _vectors(reading, "PixelSpacing", 2)
    return SeriesFacts(
        study=_first(reading, "StudyInstanceUID"),
        uid=_first(reading, "SeriesInstanceUID"),
        modality=_first(reading, "Modality"),
        number=_whole(reading, "SeriesNumber"),
        description=_first(reading, "SeriesDescription"),
        protocol=_first(reading, "ProtocolName"),
        image_type=_all(reading, "ImageType"),
        body_part=_first(reading, "BodyPartExamined"),
        images=sum(_frames(header) for header in headers),
        slices=len(depths) or None,
        rows=_size(headers[0], "Rows"),
        columns=_size(headers[0], "Columns"),
        pixel_mm=(float(spacing[0][0]), float(spacing[0][1])) if len(spacing) else None,
        step_mm=float(np.diff(depths).max()) if len(depths) > 1 else None,
        normal=normal,
        dimensions=_first(reading, "MRAcquisitionType"),
        sequence=_all(reading, "ScanningSequence") + _all(reading, "PulseSequenceName"),
        variant=_all(reading, "SequenceVariant"),
        repetition_ms=_number(reading, "RepetitionTime"),
        echo_ms=_number(reading, "EchoTime"),
        inversion_ms=_number(reading, "InversionTime"),
        flip_degrees=_number(reading, "FlipAngle"),
        contrast_agent=_first(reading, "ContrastBolusAgent"),
        tracer=_shown(reading.isotope_texts("Radiopharmaceutical")),
        units=_first(reading, "Units"),
        corrections=_all(reading, "CorrectedImage"),
        decay_correction=_first(reading, "DecayCorrection"),
    )


def _first(reading: Reading, keyword: str) -> str:
    return _shown(reading.texts(keyword))


def _shown(found: Sequence[tuple[str, ...]]) -> str:
    return one_line(" ".join(found[0])) if found else ""


def _all(reading: Reading, keyword: str) -> tuple[str, ...]:
    """Every value that a header states, each once."""
    return tuple(
        dict.fromkeys(one_line(one) for parts in reading.texts(keyword) for one in parts if one)
    )


def _number(reading: Reading, keyword: str) -> float | None:
    numbers = [_float(one) for parts in reading.texts(keyword) for one in parts]
    return min((one for one in numbers if one is not None), default=None)


def _whole(reading: Reading, keyword: str) -> int | None:
    value = _number(reading, keyword)
    return None if value is None else int(value)


def _vectors(reading: Reading, keyword: str, length: int) -> np.ndarray:
    """(n, length) the different vectors that are stated whole."""
    rows = [[_float(one) for one in parts] for parts in reading.texts(keyword)]
    whole = [row for row in rows if len(row) == length and None not in row]
    return np.array(whole, dtype=np.float64).reshape(-1, length)


def _float(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _normal(orientation: np.ndarray) -> tuple[float, float, float] | None:
    normal = np.cross(orientation[:3], orientation[3:])
    length = float(np.linalg.norm(normal))
    if length < SAME_MM:
        return None
    x, y, z = (normal / length).tolist()
    return x, y, z


def _depths(positions: np.ndarray, normal: tuple[float, float, float] | None) -> np.ndarray:
    """(slices,) the different positions along the normal in mm, ascending."""
    if normal is None or not len(positions):
        return np.empty(0)
    depths = np.sort(positions @ np.array(normal))
    return np.asarray(depths[np.concatenate([[True], np.diff(depths) > SAME_MM])])


def _frames(header: Dataset) -> int:
    return max(1, _size(header, "NumberOfFrames") or 1)


def _size(header: Dataset, keyword: str) -> int | None:
    try:
        return int(header.get(keyword))
    except DAMAGED:
        return None
