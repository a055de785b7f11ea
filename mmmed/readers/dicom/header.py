"""What one DICOM file says of itself: a few hundred bytes, never a pydicom Dataset.

value     bytes as they stand in the file, keyed by tag (`group << 16 | element`)
identity  a digest of Patient ID and, where stated, its issuer: tells patients apart, names none
traits    a digest of what is asked of a series as a whole: the same in slices of one kind
"""

from __future__ import annotations

import hashlib
import math
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from pydicom import charset

from mmmed.readers.dicom import vocabulary
from mmmed.readers.dicom.line import one_line
from mmmed.readers.silence import silent

CHARACTER_SET = 0x00080005
SOP_CLASS = 0x00080016
SOP_INSTANCE = 0x00080018
STUDY_DATE = 0x00080020
MODALITY = 0x00080060
SERIES_DESCRIPTION = 0x0008103E
PATIENT_NAME = 0x00100010
PATIENT_ID = 0x00100020
PATIENT_ID_ISSUER = 0x00100021
ECHO_TIME = 0x00180081
STUDY = 0x0020000D
SERIES = 0x0020000E
SERIES_NUMBER = 0x00200011
POSITION = 0x00200032
ORIENTATION = 0x00200037
FRAMES = 0x00280008
ROWS = 0x00280010
COLUMNS = 0x00280011
PIXEL_SPACING = 0x00280030

_TRAITS = (
    0x00080008,  # Image Type
    SOP_CLASS,
    MODALITY,
    SERIES_DESCRIPTION,
    0x00180010,  # Contrast/Bolus Agent
    0x00180015,  # Body Part Examined
    0x00180020,  # Scanning Sequence
    0x00180021,  # Sequence Variant
    0x00180023,  # MR Acquisition Type
    0x00180080,  # Repetition Time
    ECHO_TIME,
    0x00180082,  # Inversion Time
    0x00181030,  # Protocol Name
    0x00181314,  # Flip Angle
    SERIES_NUMBER,
    ORIENTATION,
    PIXEL_SPACING,
)

WANTED = frozenset(
    {
        *_TRAITS,
        CHARACTER_SET,
        SOP_INSTANCE,
        STUDY_DATE,
        PATIENT_NAME,
        PATIENT_ID,
        PATIENT_ID_ISSUER,
        STUDY,
        SERIES,
        POSITION,
        FRAMES,
        ROWS,
        COLUMNS,
    }
)
"""Tags of the values that make a header."""

_UID = re.compile(rb"[!-~]{1,64}")
"""A UID as files carry it: printable, at most 64 bytes (PS3.5 section 9.1). Digits and dots are
asked for by the standard and missed by some who write anonymous files."""

_LONGEST_NAME = 1024
"""Bytes of a name that are looked at; DICOM allows 64 characters in each of three scripts."""

_DATE = re.compile(rb"\d{8}")
_INTEGER = re.compile(rb"[+-]?\d{1,9}")


@dataclass(frozen=True, slots=True)
class Header:
    """One file of a series.

    Attributes:
        path: relative to the folder that was read.
        size: bytes of the file.
        modified: when it was written, in nanoseconds.
        sop_class: SOP Class UID; never empty.
        instance: SOP Instance UID, or empty.
        study: Study Instance UID, or empty.
        series: Series Instance UID, or empty.
        modality: `MR`, `PT`, `CT`, ..., or empty.
        patient: a digest of Patient ID alone; empty where the file gives none.
        identity: the same as `patient` where the file does not say who issued the Patient ID.
        date: of the DICOM Study, `YYYYMMDD`, or empty.
        description: of the series, one printable line without the words of the patient's name.
        number: of the series.
        frames: 1, or as an enhanced file states.
        rows: of one frame.
        columns: of one frame.
        position: of the first voxel's centre, patient coordinates in mm.
        orientation: direction cosines of a row, then of a column.
        pixel_mm: between the centres of neighbouring rows, and of columns.
        echo_ms: echo time.
        traits: the same for files that differ in their place and time alone.
    """

    path: str
    size: int
    modified: int
    sop_class: str
    instance: str
    study: str
    series: str
    modality: str
    patient: str
    identity: str
    date: str
    description: str
    number: int | None
    frames: int
    rows: int | None
    columns: int | None
    position: tuple[float, ...] | None
    orientation: tuple[float, ...] | None
    pixel_mm: tuple[float, ...] | None
    echo_ms: float | None
    traits: int


def header(
    values: Mapping[int, bytes], *, path: str, size: int, modified: int, little: bool = True
) -> Header:
    """The header that these values make; what is missing or senseless is empty or None.

    Args:
        values: of the tags in `WANTED` that the file has.
        path: relative to the folder that is read.
        size: bytes of the file.
        modified: its time, in nanoseconds.
        little: byte order of binary values.
    """
    get = values.get
    order = "little" if little else "big"
    echo = _numbers(get(ECHO_TIME, b""), 1)
    return Header(
        path=path,
        size=size,
        modified=modified,
        sop_class=uid(get(SOP_CLASS, b"")),
        instance=_uid(get(SOP_INSTANCE, b"")),
        study=uid(get(STUDY, b"")),
        series=uid(get(SERIES, b"")),
        modality=_plain(get(MODALITY, b"")),
        patient=_identity(get(PATIENT_ID, b""), b""),
        identity=_identity(get(PATIENT_ID, b""), get(PATIENT_ID_ISSUER, b"")),
        date=_date(get(STUDY_DATE, b"")),
        description=_description(
            get(SERIES_DESCRIPTION, b""),
            get(CHARACTER_SET, b""),
            (get(PATIENT_NAME, b""), get(PATIENT_ID, b"")),
        ),
        number=_integer(get(SERIES_NUMBER, b"")),
        frames=max(_integer(get(FRAMES, b"")) or 1, 1),
        rows=_unsigned(get(ROWS, b""), order),
        columns=_unsigned(get(COLUMNS, b""), order),
        position=_parsed(get(POSITION, b""), 3),
        orientation=_numbers(get(ORIENTATION, b""), 6),
        pixel_mm=_numbers(get(PIXEL_SPACING, b""), 2),
        echo_ms=echo[0] if echo else None,
        traits=_digest(tuple([get(tag, b"") for tag in _TRAITS])),
    )


def _uid(value: bytes) -> str:
    stripped = value.rstrip(b"\0 ").lstrip(b" ")
    return stripped.decode("ascii") if _UID.fullmatch(stripped) else ""


uid = lru_cache(maxsize=4096)(_uid)
"""The text of a UID; empty where it is none. One object for all files that share it."""


@lru_cache(maxsize=1024)
def _digest(values: tuple[bytes, ...]) -> int:
    found = hashlib.blake2b(b"\0\0".join(values), digest_size=8).digest()
    return int.from_bytes(found, "little")


@lru_cache(maxsize=1024)
def _plain(value: bytes) -> str:
    """A code string."""
    return one_line(value[:64].decode("ascii", "replace"), longest=16)


def identity(patient: str, issuer: str = "") -> str:
    """What stands for the patient whom a table names: that of headers with the same two values.

    Args:
        patient: Patient ID.
        issuer: Issuer of Patient ID, where the headers state one.
    """
    return _identity(patient.encode(), issuer.encode())


@lru_cache(maxsize=4096)
def _identity(patient: bytes, issuer: bytes) -> str:
    stripped = patient.strip(b"\0 ")
    if not stripped:
        return ""
    return hashlib.sha256(stripped + b"\\" + issuer.strip(b"\0 ")).hexdigest()[:16]


@lru_cache(maxsize=1024)
def _date(value: bytes) -> str:
    """Eight digits; `YYYY.MM.DD` of ACR-NEMA is read too."""
    digits = value.strip(b"\0 ").replace(b".", b"")
    return digits.decode("ascii") if _DATE.fullmatch(digits) else ""


@lru_cache(maxsize=1024)
def _description(value: bytes, characters: bytes, person: tuple[bytes, ...]) -> str:
    """A text without the words of these values."""
    names = [_text(one[:_LONGEST_NAME], characters) for one in person]
    return vocabulary.without(_text(value, characters), names)


@lru_cache(maxsize=1024)
def _text(value: bytes, characters: bytes) -> str:
    """Text in the file's character set, on one line."""
    if value.isascii() and b"\x1b" not in value:
        return one_line(value.strip(b"\0 ").decode("ascii"))
    names = [one.strip() for one in characters[:256].decode("ascii", "replace").split("\\")]
    try:
        with silent():
            encodings = charset.convert_encodings(names)
            text = charset.decode_bytes(value[:1024].strip(b"\0 "), encodings, {0x0A, 0x0D, 0x09})
    except (LookupError, ValueError):
        text = value[:1024].decode("ascii", "replace")
    return one_line(text)


@lru_cache(maxsize=4096)
def _integer(value: bytes) -> int | None:
    stripped = value.strip(b"\0 ")
    return int(stripped) if _INTEGER.fullmatch(stripped) else None


@lru_cache(maxsize=4096)
def _unsigned(value: bytes, order: str) -> int | None:
    """A number of two bytes."""
    return struct.unpack("<H" if order == "little" else ">H", value)[0] if len(value) == 2 else None


def _parsed(value: bytes, count: int) -> tuple[float, ...] | None:
    """Exactly `count` finite decimal numbers."""
    parts = value.split(b"\\", count)
    if len(parts) != count or len(value) > 64 * count:
        return None
    try:
        numbers = tuple(float(part.strip(b"\0 ")) for part in parts)
    except ValueError:
        return None
    return numbers if all(map(math.isfinite, numbers)) else None


_numbers = lru_cache(maxsize=4096)(_parsed)
"""Numbers that many files share."""
