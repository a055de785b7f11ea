"""The facts of a series from its headers, classic or enhanced.

Values are looked for in the header of every file and in the functional groups of every frame, under
the keyword of classic images and under that of enhanced ones. Of a number that several frames state
differently the smallest counts; of texts the first, all of Image Type and Corrected Image. Free
texts are without the words of the patient's name and ID.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from pydicom.dataset import Dataset

from mmmed.errors import UnitsError
from mmmed.readers.dicom.damage import DAMAGED
from mmmed.readers.dicom.facts import SeriesFacts
from mmmed.readers.dicom.line import one_line
from mmmed.readers.dicom.patient import age_years
from mmmed.readers.dicom.tracer import tracer
from mmmed.readers.dicom.vocabulary import without
from mmmed.readers.suv.place import items_of, text_of
from mmmed.readers.suv.reading import Reading
from mmmed.readers.suv.units import stated_unit

SAME_MM = 0.01
"""Positions closer than this along the normal are one slice."""

SAME_COSINE = 0.01
"""Direction cosines closer than this are one orientation: half a degree."""

MOST_ORIENTATIONS = 16
"""Counted no further: a radial series has one per slice."""

WIDE = 1.5
"""Usual distances of neighbouring slices from which a slice would fit between two."""

_FLAGS = {"ATTN": "AttenuationCorrected", "DECY": "DecayCorrected", "SCAT": "ScatterCorrected"}
"""Value of Corrected Image -> the flag of enhanced images (DICOM PS3.3 C.8.22.6) for the same."""


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
    step, missing = _steps(depths)
    return _nameless(
        reading,
        SeriesFacts(
            study=_first(reading, "StudyInstanceUID"),
            uid=_first(reading, "SeriesInstanceUID"),
            modality=_first(reading, "Modality"),
            number=_whole(reading, "SeriesNumber"),
            description=_first(reading, "SeriesDescription"),
            protocol=_first(reading, "ProtocolName"),
            image_type=_all(reading, "ImageType", "FrameType", "ComplexImageComponent"),
            body_part=_first(reading, "BodyPartExamined")
            or _meaning(reading, "AnatomicRegionSequence"),
            images=sum(_frames(header) for header in headers),
            slices=len(depths) or None,
            rows=_size(headers[0], "Rows"),
            columns=_size(headers[0], "Columns"),
            pixel_mm=(float(spacing[0][0]), float(spacing[0][1])) if len(spacing) else None,
            step_mm=step,
            missing_slices=missing,
            orientations=_different(orientations),
            normal=normal,
            dimensions=_first(reading, "MRAcquisitionType"),
            sequence=_all(reading, "ScanningSequence", "PulseSequenceName"),
            variant=_all(reading, "SequenceVariant"),
            repetition_ms=_number(reading, "RepetitionTime"),
            echo_ms=_number(reading, "EchoTime", "EffectiveEchoTime"),
            inversion_ms=_number(reading, "InversionTime", "InversionTimes"),
            flip_degrees=_number(reading, "FlipAngle"),
            contrast_agent=_first(reading, "ContrastBolusAgent")
            or _meaning(reading, "ContrastBolusAgentSequence"),
            tracer=tracer(reading),
            units=_first(reading, "Units") or _mapped_unit(reading),
            corrections=_all(reading, "CorrectedImage") or _flagged(reading),
            decay_correction=_first(reading, "DecayCorrection"),
            age_years=age_years(reading),
            sex=_first(reading, "PatientSex"),
            site=_first(reading, "InstitutionName"),
        ),
    )


def _nameless(reading: Reading, facts: SeriesFacts) -> SeriesFacts:
    """The facts, those that people may write as they like without the patient's name."""
    person = [_first(reading, keyword) for keyword in ("PatientName", "PatientID")]
    return replace(
        facts,
        description=without(facts.description, person),
        protocol=without(facts.protocol, person),
        body_part=without(facts.body_part, person),
        contrast_agent=without(facts.contrast_agent, person),
        tracer=without(facts.tracer, person),
        site=without(facts.site, person),
    )


def _first(reading: Reading, keyword: str) -> str:
    return _shown(reading.texts(keyword))


def _shown(found: Sequence[tuple[str, ...]]) -> str:
    return one_line(" ".join(found[0])) if found else ""


def _all(reading: Reading, *keywords: str) -> tuple[str, ...]:
    """Every value that a header states, each once."""
    texts = (one for keyword in keywords for parts in reading.texts(keyword) for one in parts)
    return tuple(dict.fromkeys(one_line(one) for one in texts if one))


def _meaning(reading: Reading, sequence: str) -> str:
    """What the first code in a sequence means, in the words that stand beside it."""
    items = (item for place in reading.places for item in items_of(place, sequence))
    return next((one_line(text) for item in items if (text := text_of(item, "CodeMeaning"))), "")


def _flagged(reading: Reading) -> tuple[str, ...]:
    """The corrections that every frame of an enhanced image says were made."""
    return tuple(name for name, keyword in _FLAGS.items() if reading.texts(keyword) == (("YES",),))


def _mapped_unit(reading: Reading) -> str:
    """The unit of an enhanced image by its real world value mappings; "" where none is known."""
    try:
        return stated_unit(reading).units
    except UnitsError:
        return ""


def _number(reading: Reading, *keywords: str) -> float | None:
    texts = (one for keyword in keywords for parts in reading.texts(keyword) for one in parts)
    numbers = [_float(one) for one in texts]
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


def _different(orientations: np.ndarray) -> int | None:
    """How many orientations there are, rounding apart; None where none is stated."""
    kept: list[np.ndarray] = []
    for one in orientations:
        if len(kept) == MOST_ORIENTATIONS:
            break
        if not any(np.abs(one - other).max() < SAME_COSINE for other in kept):
            kept.append(one)
    return len(kept) or None


def _depths(positions: np.ndarray, normal: tuple[float, float, float] | None) -> np.ndarray:
    """(slices,) the different positions along the normal in mm, ascending."""
    if normal is None or not len(positions):
        return np.empty(0)
    depths = np.sort(positions @ np.array(normal))
    return np.asarray(depths[np.concatenate([[True], np.diff(depths) > SAME_MM])])


def _steps(depths: np.ndarray) -> tuple[float | None, int | None]:
    """The usual distance between neighbours, and how many slices are missing between them."""
    if len(depths) < 2:
        return None, None
    gaps = np.diff(depths)
    usual = float(np.median(gaps))
    wide = gaps[gaps > WIDE * usual]
    return usual, int(np.rint(wide / usual - 1).sum())


def _frames(header: Dataset) -> int:
    return max(1, _size(header, "NumberOfFrames") or 1)


def _size(header: Dataset, keyword: str) -> int | None:
    try:
        return int(header.get(keyword))
    except DAMAGED:
        return None
