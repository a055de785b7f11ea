"""Series of a few small slices, written by pydicom, with anything said or left out on purpose."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, MRImageStorage, generate_uid

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
SHAPE = (6, 8, 10)
SPACING = (1.5, 1.25)
STEP = 3.0
ORIGIN = (-20.0, -30.0, 40.0)


def stored(shape: tuple[int, int, int] = SHAPE, *, seed: int = 0) -> np.ndarray:
    """(slice, row, column) uint16 below 4096, no two slices alike."""
    return np.random.default_rng(seed).integers(0, 4096, shape).astype(np.uint16)


def headers(
    pixels: np.ndarray,
    *,
    orientation: Sequence[float] = AXIAL,
    origin: Sequence[float] = ORIGIN,
    step: float | Sequence[float] = STEP,
    **common: Any,
) -> list[FileDataset]:
    """One classic MR header with pixels per slice of (slice, row, column).

    Args:
        pixels: uint16 or int16.
        orientation: row and column cosines.
        origin: LPS mm of the first slice.
        step: mm along the normal, or the LPS vector from slice to slice.
        common: attributes that all slices have, by keyword; None leaves one out.
    """
    normal = np.cross(orientation[:3], orientation[3:])
    vector = np.asarray(step) if np.ndim(step) else normal * step
    series, study, frame = generate_uid(), generate_uid(), generate_uid()
    made = []
    for place, plane in enumerate(pixels):
        said = {
            "SOPClassUID": MRImageStorage,
            "SOPInstanceUID": generate_uid(),
            "StudyInstanceUID": study,
            "SeriesInstanceUID": series,
            "FrameOfReferenceUID": frame,
            "Modality": "MR",
            "PatientID": "one",
            "ImageType": ["ORIGINAL", "PRIMARY", "M"],
            "InstanceNumber": place + 1,
            "ImagePositionPatient": [float(v) for v in np.asarray(origin) + place * vector],
            "ImageOrientationPatient": [float(v) for v in orientation],
            "PixelSpacing": list(SPACING),
            "SliceThickness": float(np.linalg.norm(vector)),
            "SamplesPerPixel": 1,
            "PhotometricInterpretation": "MONOCHROME2",
            "Rows": plane.shape[0],
            "Columns": plane.shape[1],
            "BitsAllocated": 16,
            "BitsStored": 16,
            "HighBit": 15,
            "PixelRepresentation": int(plane.dtype.kind == "i"),
            **common,
        }
        one = FileDataset("", {}, file_meta=FileMetaDataset(), preamble=bytes(128))
        for key, value in said.items():
            if value is not None:
                setattr(one, key, value)
        one.PixelData = plane.tobytes()
        made.append(one)
    return made


def echoes(pixels: Sequence[np.ndarray], **common: Any) -> list[FileDataset]:
    """The headers of one series with an echo for each array."""
    one_series = {"SeriesInstanceUID": "1.2.3", "FrameOfReferenceUID": "1.2.4", **common}
    return [
        header
        for echo, array in enumerate(pixels, start=1)
        for header in headers(array, EchoNumbers=echo, EchoTime=4.9 * echo, **one_series)
    ]


def save(
    series: Sequence[FileDataset],
    folder: Path,
    *,
    syntax: str = ExplicitVRLittleEndian,
    name: str = "slice",
) -> list[Path]:
    """The files of a series, numbered in the order given, in an order on the disk that is not."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for place, one in enumerate(series):
        one.file_meta.TransferSyntaxUID = syntax
        one.file_meta.MediaStorageSOPClassUID = one.SOPClassUID
        one.file_meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID
        path = folder / f"{name}-{place:03d}.dcm"
        one.save_as(
            path,
            implicit_vr=syntax == ImplicitVRLittleEndian,
            little_endian=True,
            enforce_file_format=True,
        )
        paths.append(path)
    return paths[::-1]


def affine(
    orientation: Sequence[float] = AXIAL,
    *,
    origin: Sequence[float] = ORIGIN,
    step: float = STEP,
    spacing: Sequence[float] = SPACING,
) -> np.ndarray:
    """Index of (slice, row, column) to RAS mm, by equation C.7.6.2.1-1 of PS3.3."""
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    made = np.eye(4)
    made[:3, 0] = np.cross(row, column) * step
    made[:3, 1] = column * spacing[0]
    made[:3, 2] = row * spacing[1]
    made[:3, 3] = origin
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ made


def mosaic(pixels: np.ndarray, *, upward: bool = True, csa: bool = True) -> FileDataset:
    """(slice, row, column) as one Siemens mosaic, with a CSA header of two elements."""
    count, rows, columns = pixels.shape
    side = int(np.ceil(np.sqrt(count)))
    square = np.zeros((side * rows, side * columns), pixels.dtype)
    for place, plane in enumerate(pixels):
        top, left = place // side * rows, place % side * columns
        square[top : top + rows, left : left + columns] = plane
    corner = np.array(ORIGIN)
    corner[0] -= SPACING[1] * (square.shape[1] - columns) / 2
    corner[1] -= SPACING[0] * (square.shape[0] - rows) / 2
    (one,) = headers(
        square[None],
        origin=[float(value) for value in corner],
        Manufacturer="SIEMENS",
        ImageType=["ORIGINAL", "PRIMARY", "M", "MOSAIC"],
        SpacingBetweenSlices=STEP,
    )
    if csa:
        block = one.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
        up = "1" if upward else "-1"
        said = {"NumberOfImagesInMosaic": [str(count)], "SliceNormalVector": ["0", "0", up]}
        block.add_new(0x10, "OB", _csa(said))
    return one


def _csa(said: dict[str, list[str]]) -> bytes:
    """A CSA header of type 2 as nibabel's documentation describes it."""
    made = b"SV10\4\3\2\1" + struct.pack("<II", len(said), 77)
    for name, values in said.items():
        made += struct.pack("<64si4siii", name.encode(), len(values), b"DS", 0, len(values), 77)
        for value in values:
            made += struct.pack("<4i", len(value), len(value), 77, len(value))
            made += value.encode().ljust(-(-len(value) // 4) * 4, b"\0")
    return made
