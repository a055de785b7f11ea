"""DICOM files of a few hundred bytes, written by pydicom, with anything said or left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, MRImageStorage

STUDY = "1.2.826.0.1.3680043.8.498.1"
SERIES = "1.2.826.0.1.3680043.8.498.2"


def slice_of(number: int = 1, *, series: str = SERIES, **changes: Any) -> FileDataset:
    """One slice of a classic MR series of 4 x 5 pixels; a value of None leaves its element out."""
    said = {
        "SpecificCharacterSet": "ISO_IR 192",
        "ImageType": ["ORIGINAL", "PRIMARY", "M"],
        "SOPClassUID": MRImageStorage,
        "SOPInstanceUID": f"{series}.{number}",
        "StudyDate": "20200229",
        "Modality": "MR",
        "SeriesDescription": "T1 3D",
        "PatientID": "one",
        "EchoTime": 2.5,
        "StudyInstanceUID": STUDY,
        "SeriesInstanceUID": series,
        "SeriesNumber": 3,
        "InstanceNumber": number,
        "ImagePositionPatient": [-10.0, -20.0, 2.0 * number],
        "ImageOrientationPatient": [1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        "FrameOfReferenceUID": f"{STUDY}.9",
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": 4,
        "Columns": 5,
        "PixelSpacing": [1.5, 1.25],
        "SliceThickness": 2.0,
        "BitsAllocated": 16,
        "BitsStored": 16,
        "HighBit": 15,
        "PixelRepresentation": 0,
        **changes,
    }
    one = FileDataset("", {}, file_meta=FileMetaDataset(), preamble=bytes(128))
    for keyword, value in said.items():
        if value is not None:
            setattr(one, keyword, value)
    one.PixelData = (np.arange(20, dtype="<u2") + number).tobytes()
    return one


def write(
    one: FileDataset, path: Path, *, syntax: str = ExplicitVRLittleEndian, meta: bool = True
) -> Path:
    """A file in a little-endian transfer syntax; without `meta` it is the bare dataset."""
    path.parent.mkdir(parents=True, exist_ok=True)
    implicit = syntax == ImplicitVRLittleEndian
    if not meta:
        one.file_meta, one.preamble = FileMetaDataset(), None
        one.save_as(path, implicit_vr=implicit, little_endian=True, enforce_file_format=False)
        return path
    one.file_meta.TransferSyntaxUID = syntax
    one.file_meta.MediaStorageSOPClassUID = getattr(one, "SOPClassUID", MRImageStorage)
    one.file_meta.MediaStorageSOPInstanceUID = getattr(one, "SOPInstanceUID", "1.2")
    one.save_as(path, implicit_vr=implicit, little_endian=True, enforce_file_format=True)
    return path


def write_series(folder: Path, count: int = 6, **changes: Any) -> list[Path]:
    """The slices of one series, by number."""
    return [
        write(slice_of(number, **changes), folder / f"IM{number:03d}")
        for number in range(1, count + 1)
    ]
