"""What preparation costs: reading, a registration, a bias field, many cores, a second time."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from scipy.ndimage import affine_transform
from scipy.spatial.transform import Rotation

from mmmed import library
from mmmed.readers import template
from mmmed.readers.nifti import read_volume
from mmmed.readers.source import Source
from mmmed.transforms.bias_field import corrected
from mmmed.transforms.chain import load_chain
from mmmed.transforms.prepare import load, prepare
from mmmed.transforms.raster import Raster
from mmmed.transforms.register import register

SCANS = 64
"""Enough work for `prepare` to start processes."""

RUNS = 5


def measure() -> dict[str, Any]:
    """Seconds and ratios; every ratio from one run on the same files."""
    chain = load_chain(library.find("transforms", "brain-mri", start=None))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sources = [Source(_scan(folder / f"{place}.nii.gz", place)) for place in range(SCANS)]

        def prepared(cache: str, jobs: int) -> Callable[[], object]:
            return lambda: prepare(sources, chain, kind="volume", cache=folder / cache, jobs=jobs)

        prepare(sources[:1], chain, kind="volume", cache=folder / "imports")
        one = _seconds(prepared("one", 1))
        warm = _seconds(prepared("one", 1))
        two = _seconds(prepared("two", 2))
        items = prepare(sources, chain, kind="volume", cache=folder / "one")
        path = sources[0].path
        ours, theirs = _in_turns(lambda: read_volume(path), lambda: nib.load(path).get_fdata())
        mapped = statistics.median(_seconds(lambda: np.array(load(items[0]))) for _ in range(RUNS))
    raster = Raster(np.asarray(template.t1(4.0))[None], template.grid(4.0).affine)
    return {
        "read_gz_over_nibabel": round(theirs / ours, 2),
        "register_s": round(_least(lambda: register(raster, "t1", suv=False)), 3),
        "bias_field_s": round(_least(lambda: corrected(raster, shrink_mm=8.0)), 3),
        "scan_s_one_process": round(one / SCANS, 3),
        "two_processes_over_one": round(one / two, 2),
        "warm_over_cold": round(warm / one, 4),
        "mapped_item_ms": round(1000 * mapped, 3),
        "asked": "read >= 1.8; register + bias field <= 0.3 s; two processes near 2; warm < 0.05",
    }


def _scan(path: Path, seed: int) -> Path:
    """The T1 template turned and shifted by chance on a 1.5 mm grid, int16 in gzip."""
    random = np.random.default_rng(seed)
    grid = template.grid(2.0)
    moved = np.eye(4)
    moved[:3, :3] = Rotation.from_euler("xyz", random.uniform(-15, 15, 3), degrees=True).as_matrix()
    moved[:3, 3] = random.uniform(-20, 20, 3)
    target = np.diag([1.5, 1.5, 1.5, 1.0])
    target[:3, 3] = (-120, -140, -100)
    back = np.linalg.inv(grid.affine) @ np.linalg.inv(moved) @ target
    values = affine_transform(
        np.asarray(template.t1(2.0)), back[:3, :3], back[:3, 3], output_shape=(160,) * 3, order=1
    )
    noisy = np.abs(values * 1000 + random.normal(0, 20, values.shape))
    nib.save(nib.Nifti1Image(noisy.astype(np.int16), target), path)
    return path


def _in_turns(one: Callable[[], object], other: Callable[[], object]) -> tuple[float, float]:
    pairs = [(_seconds(one), _seconds(other)) for _ in range(RUNS)]
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


def _least(work: Callable[[], object]) -> float:
    return min(_seconds(work) for _ in range(RUNS))


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
