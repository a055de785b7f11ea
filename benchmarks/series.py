"""A classic MR series of 200 x 256 x 256 -> one volume, beside what others take on the same files.

Every reader is called in turn, eleven rounds; the first round warms the file cache and does not
count. Ours alone checks every gap, tilt, duplicate, patient and size.
"""

from __future__ import annotations

import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import SimpleITK
from monai.data.image_reader import PydicomReader
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

from mmmed.readers.dicom.series import read_series

ROUNDS = 11
SHAPE = (200, 256, 256)
PLANES = {"axial": (1, 0, 0, 0, 1, 0), "sagittal": (0, 1, 0, 0, 0, -1)}


def measure() -> dict[str, Any]:
    """Median milliseconds of each reader, and ours over SimpleITK's, per plane."""
    rows = []
    for plane, orientation in PLANES.items():
        with tempfile.TemporaryDirectory() as folder:
            paths = write_series(Path(folder), orientation)
            found = _medians(paths)
            rows.append(", ".join([plane, *(f"{key} {value}" for key, value in found.items())]))
    return {"series": rows, "asked": "ours <= SimpleITK, goal half of it"}


def _medians(paths: Sequence[Path]) -> dict[str, float]:
    readers: dict[str, Callable[[Sequence[Path]], object]] = {
        "ours": read_series,
        "simpleitk": _simpleitk,
        "pydicom": _pydicom,
        "monai": _monai,
    }
    seconds: dict[str, list[float]] = {name: [] for name in readers}
    for _ in range(ROUNDS):
        for name, read in readers.items():
            begun = time.perf_counter()
            read(paths)
            seconds[name].append(time.perf_counter() - begun)
    medians = {name: statistics.median(spent[1:]) for name, spent in seconds.items()}
    found = {f"{name}_ms": round(1000 * value, 1) for name, value in medians.items()}
    return {**found, "over_simpleitk": round(medians["ours"] / medians["simpleitk"], 2)}


def _simpleitk(paths: Sequence[Path]) -> object:
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(paths[0].parent)))
    return SimpleITK.GetArrayFromImage(reader.Execute())


def _pydicom(paths: Sequence[Path]) -> object:
    slices = [pydicom.dcmread(path) for path in paths]
    slices.sort(key=lambda one: float(one.ImagePositionPatient[2]))
    return np.stack([one.pixel_array for one in slices]).astype(np.float32)


def _monai(paths: Sequence[Path]) -> object:
    reader = PydicomReader()
    return reader.get_data(reader.read(str(paths[0].parent)))


def write_series(folder: Path, orientation: Sequence[float]) -> list[Path]:
    """The files of a series of noise with these row and column cosines."""
    normal = np.cross(orientation[:3], orientation[3:])
    pixels = np.random.default_rng(0).integers(0, 4096, SHAPE).astype(np.uint16)
    series, study, reference = generate_uid(), generate_uid(), generate_uid()
    paths = []
    for place, plane in enumerate(pixels):
        meta = FileMetaDataset()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        one = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
        said = {
            "SOPClassUID": MRImageStorage,
            "SOPInstanceUID": generate_uid(),
            "StudyInstanceUID": study,
            "SeriesInstanceUID": series,
            "FrameOfReferenceUID": reference,
            "Modality": "MR",
            "ImageType": ["ORIGINAL", "PRIMARY", "M"],
            "InstanceNumber": place + 1,
            "ImagePositionPatient": [float(value) for value in normal * place - 100],
            "ImageOrientationPatient": [float(value) for value in orientation],
            "PixelSpacing": [1.0, 1.0],
            "SliceThickness": 1.0,
            "EchoTime": 3.2,
            "SamplesPerPixel": 1,
            "PhotometricInterpretation": "MONOCHROME2",
            "Rows": plane.shape[0],
            "Columns": plane.shape[1],
            "BitsAllocated": 16,
            "BitsStored": 12,
            "HighBit": 11,
            "PixelRepresentation": 0,
        }
        for key, value in said.items():
            setattr(one, key, value)
        one.PixelData = plane.tobytes()
        paths.append(folder / f"{place:04d}.dcm")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            one.save_as(paths[-1], enforce_file_format=True)
    return paths
