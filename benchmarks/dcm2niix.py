"""Series as volumes beside dcm2niix: on real files who makes what of them, and how fast.

The files are those of the tests (`MMMED_TEST_DATA`, else the folder that the tests use). A volume
of ours counts as equal where dcm2niix wrote one of the same values and the same place; both are
turned to RAS first. Both are timed on one classic series from files to an uncompressed NIfTI;
dcm2niix's time is that of its process.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dcm2niix
import nibabel as nib
import numpy as np

from benchmarks.series import PLANES, write_series
from mmmed.errors import MmmedError
from mmmed.readers.dicom.index import Series, read_index
from mmmed.readers.dicom.line import reason_line
from mmmed.readers.dicom.series import SeriesVolume, read_series

ROUNDS = 9
DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
MILLIMETRES = 1e-3
RELATIVE = 1e-5
Volume = tuple[np.ndarray, np.ndarray]


def measure() -> dict[str, Any]:
    """What became of every real series, and milliseconds on a large one."""
    root = Path(os.environ.get("MMMED_TEST_DATA", DATA))
    rows, counts = [], Counter[str]()
    for series in read_index(root).series:
        verdict, text = _compared(series)
        counts[verdict] += 1
        if verdict != "equal":
            rows.append(f"{series.headers[0].path}: {verdict}: {text}")
    return {"series": dict(counts), "not equal": rows, "seconds": _timed()}


def _compared(series: Series) -> tuple[str, str]:
    theirs = _dcm2niix(series.paths)
    try:
        ours = read_series(series.paths)
    except MmmedError as error:
        said = f"dcm2niix makes {len(theirs)} volumes"
        return "refused by us", f"{said}; {reason_line(str(error), series.root)[:200]}"
    if not theirs:
        return "none by dcm2niix", f"{len(ours)} of ours"
    lost = [one.label or "the only one" for one in ours if not _among(one, theirs)]
    if lost:
        return "unequal", f"{len(lost)} of {len(ours)} ({', '.join(lost)[:200]})"
    if len(ours) < len(theirs):
        return "fewer of ours", f"{len(ours)} of {len(theirs)}"
    return "equal", ""


def _dcm2niix(paths: Sequence[Path]) -> list[Volume]:
    """The volumes of one series as dcm2niix writes them, in RAS; time points one by one."""
    with tempfile.TemporaryDirectory() as place:
        files, out = Path(place, "in"), Path(place, "out")
        files.mkdir(), out.mkdir()
        for number, path in enumerate(paths):
            shutil.copyfile(path, files / f"{number:05d}.dcm")
        _run(files, out)
        return [volume for path in sorted(out.glob("*.nii")) for volume in _split(path)]


def _run(files: Path, out: Path) -> None:
    arguments = [dcm2niix.bin, "-z", "n", "-b", "n", "-w", "2", "-f", "%s_%p_%e", "-o", out, files]
    subprocess.run([*map(str, arguments)], capture_output=True, check=False)


def _split(path: Path) -> list[Volume]:
    image = nib.as_closest_canonical(nib.load(path))
    data = np.asarray(image.dataobj, dtype=np.float64)
    if data.dtype.names or data.ndim < 3:
        return []
    flat = data.reshape(*data.shape[:3], -1)
    return [(flat[..., one], image.affine) for one in range(flat.shape[3])]


def _among(one: SeriesVolume, theirs: Sequence[Volume]) -> bool:
    data, affine = one.volume.data, one.volume.affine
    return any(
        other.shape == data.shape
        and np.allclose(place, affine, atol=MILLIMETRES)
        and np.allclose(other, data, rtol=RELATIVE, atol=RELATIVE * np.abs(data).max())
        for other, place in theirs
    )


def _timed() -> list[str]:
    rows = []
    for plane, orientation in PLANES.items():
        with tempfile.TemporaryDirectory() as place:
            folder, out = Path(place, "in"), Path(place, "out")
            folder.mkdir(), out.mkdir()
            paths = write_series(folder, orientation)
            ours, theirs = [], []
            for _ in range(ROUNDS):
                begun = time.perf_counter()
                (volume,) = read_series(paths)
                nib.save(
                    nib.Nifti1Image(volume.volume.data, volume.volume.affine), out / "ours.nii"
                )
                middle = time.perf_counter()
                _run(folder, out)
                ours.append(middle - begun)
                theirs.append(time.perf_counter() - middle)
            one, other = statistics.median(ours[1:]), statistics.median(theirs[1:])
            rows.append(
                f"{plane}: ours {1000 * one:.0f} ms, dcm2niix {1000 * other:.0f} ms, "
                f"ratio {one / other:.2f}"
            )
    return rows
