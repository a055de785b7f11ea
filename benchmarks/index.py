"""Reading the headers of a folder, beside one process of pydicom and GDCM's Scanner.

`python -m benchmarks index` writes 10,000 classic slices with some hundred elements each, private
ones among them, and takes on the same files, in turns

ours     `read_index`: every file grouped or set aside, one process and one per core
pydicom  a loop of `dcmread(stop_before_pixels=True)` that looks at six values
gdcm     one Scanner over the tags that the index asks for; nothing is grouped

The files are in the system's cache. Kept per file is what tracemalloc finds of the headers alone.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gdcm
import numpy as np
from joblib import cpu_count
from pydicom import dcmread
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

from mmmed.readers.dicom.header import WANTED
from mmmed.readers.dicom.index import read_index
from mmmed.readers.dicom.reading import read_header

FILES = 10_000
RUNS = 3
PRIVATE = 60


def measure() -> dict[str, Any]:
    """Median files per second of each, and the medians of the ratios within a turn."""
    folder = Path(tempfile.mkdtemp())
    try:
        paths = _written(folder)
        ways: dict[str, Callable[[], object]] = {
            "ours": lambda: read_index(folder),
            f"ours, {cpu_count()} processes": lambda: read_index(folder, jobs=cpu_count()),
            "gdcm": lambda: _scanned(paths),
            "pydicom": lambda: [_looked_at(path) for path in paths],
        }
        for way in ways.values():
            way()
        turns = [{name: _seconds(way) for name, way in ways.items()} for _ in range(RUNS)]
        kept = _kept(folder, paths)
    finally:
        shutil.rmtree(folder)
    return {
        **{
            name: f"{FILES / statistics.median(one[name] for one in turns):.0f} files/s, "
            f"{statistics.median(one['pydicom'] / one[name] for one in turns):.1f} x pydicom"
            for name in ways
        },
        "kept per file, bytes": round(kept),
        "asked": ">= 6 x pydicom, <= 1024 bytes",
    }


def _written(folder: Path) -> list[str]:
    paths = []
    for number in range(FILES):
        path = folder / f"{number // 200:03d}" / f"{number % 200:03d}"
        path.parent.mkdir(exist_ok=True)
        _slice(number).save_as(path, enforce_file_format=True)
        paths.append(str(path))
    return paths


def _slice(number: int) -> FileDataset:
    series = f"1.2.826.0.1.3680043.8.498.{number // 200}"
    one = FileDataset("", {}, file_meta=FileMetaDataset(), preamble=bytes(128))
    one.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    said: dict[str, Any] = {
        "SpecificCharacterSet": "ISO_IR 100",
        "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND"],
        "SOPClassUID": MRImageStorage,
        "SOPInstanceUID": f"{series}.{number}",
        "StudyDate": "20200229",
        "SeriesTime": "101112.5",
        "Modality": "MR",
        "Manufacturer": "MAKER",
        "SeriesDescription": "T1 3D sagittal",
        "PatientID": "one",
        "BodyPartExamined": "BRAIN",
        "SliceThickness": 1.0,
        "RepetitionTime": 2300.0,
        "EchoTime": 2.98,
        "FlipAngle": 9.0,
        "StudyInstanceUID": "1.2.826.0.1.3680043.8.498",
        "SeriesInstanceUID": series,
        "SeriesNumber": number // 200,
        "InstanceNumber": number,
        "ImagePositionPatient": [-10.0, -20.0, float(number)],
        "ImageOrientationPatient": [1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        "Rows": 32,
        "Columns": 32,
        "PixelSpacing": [1.0, 1.0],
        "BitsAllocated": 16,
        "BitsStored": 12,
        "HighBit": 11,
        "PixelRepresentation": 0,
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
    }
    for keyword, value in said.items():
        setattr(one, keyword, value)
    block = one.private_block(0x0019, "MAKER", create=True)
    for element in range(PRIVATE):
        block.add_new(element, "LO", f"private value {element}")
    one.PixelData = np.zeros(1024, "<u2").tobytes()
    return one


def _looked_at(path: str) -> tuple[object, ...]:
    one = dcmread(path, stop_before_pixels=True)
    return (
        one.SOPClassUID,
        one.StudyInstanceUID,
        one.SeriesInstanceUID,
        one.Modality,
        one.SeriesDescription,
        one.ImagePositionPatient,
    )


def _scanned(paths: list[str]) -> list[list[str]]:
    scanner = gdcm.Scanner()
    tags = [gdcm.Tag(tag >> 16, tag & 0xFFFF) for tag in WANTED]
    for tag in tags:
        scanner.AddTag(tag)
    scanner.Scan(paths)
    return [[scanner.GetValue(path, tag) for tag in tags] for path in paths]


def _seconds(way: Callable[[], object]) -> float:
    begun = time.perf_counter()
    way()
    return time.perf_counter() - begun


def _kept(folder: Path, paths: list[str]) -> float:
    names = [str(Path(path).relative_to(folder)) for path in paths]
    tracemalloc.start()
    kept = [read_header(folder, name) for name in names]
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return taken / len(kept)
