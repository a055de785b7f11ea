"""The brain of an MRI by HD-BET, as its own command does it, where it and its weights are here.

HD-BET (Isensee et al., 2019, doi:10.1002/hbm.24750) is a network of its authors', which its command
would download when it first runs. Nothing is downloaded here: without the file of weights the
command is not called. It runs on the CPU, so that a machine's devices change no voxel.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from mmmed.errors import DataError, MissingExtra, StudyError
from mmmed.readers.nifti import read_volume
from mmmed.record import digest
from mmmed.transforms.raster import Raster

COMMAND = "hd-bet"

WEIGHTS = Path("hd-bet_params", "release_2.0.0", "fold_all", "checkpoint_final.pth")
"""Below the home folder: where HD-BET 2.0 looks for them."""

SECONDS = 3600
"""A head takes minutes on one core; what takes longer hangs."""

FEWEST_ML, MOST_ML = 300.0, 3000.0
"""Volumes of brains, a child's and the largest; a mask beyond them is none."""


@dataclass(frozen=True)
class Extractor:
    """HD-BET as it is installed.

    Attributes:
        command: its path.
        weights: the file of them.
    """

    command: str
    weights: Path

    @property
    def digest(self) -> str:
        """SHA-256 of the weights, which decide the mask."""
        stat = self.weights.stat()
        return _digest(self.weights, stat.st_size, stat.st_mtime_ns)


def installed() -> Extractor:
    """HD-BET on this machine.

    Raises:
        MissingExtra: its command is not there.
        StudyError: its weights are not there.
    """
    beside = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    command = shutil.which(COMMAND, path=beside)
    if command is None:
        raise MissingExtra("`brain-mask` by HD-BET", extra="hd-bet")
    weights = Path.home() / WEIGHTS
    if not weights.is_file():
        raise StudyError(
            f"`brain-mask` by HD-BET: {weights} is missing; put the weights that its authors "
            "publish for version 2.0 there (nothing is downloaded here), or state `by: template`"
        )
    return Extractor(command, weights)


def brain(raster: Raster) -> np.ndarray:
    """Where HD-BET sees the brain, (i, j, k) boolean.

    Args:
        raster: an MRI of one channel, skull included, canonical RAS.

    Raises:
        MissingExtra: its command is not there.
        StudyError: its weights are not there.
        DataError: it failed on this scan, or what it found is no brain.
    """
    tool = installed()
    with tempfile.TemporaryDirectory(prefix="mmmed-") as name:
        folder = Path(name)
        _write(folder / "head.nii.gz", raster)
        _run(tool, folder)
        found = folder / "brain_bet.nii.gz"
        if not found.is_file():
            raise DataError("HD-BET left no mask of it; look at the scan, or state `by: template`")
        mask = np.asarray(read_volume(found).data > 0)
    if mask.shape != raster.space:
        raise DataError(f"HD-BET made a mask of {mask.shape} for a scan of {raster.space}")
    millilitres = float(mask.sum() * abs(np.linalg.det(raster.affine[:3, :3])) / 1000)
    if not FEWEST_ML <= millilitres <= MOST_ML:
        raise DataError(
            f"HD-BET finds a brain of {millilitres:.0f} mL, and brains are {FEWEST_ML:.0f} to "
            f"{MOST_ML:.0f}; look at the scan, or state `by: template`"
        )
    return mask


def _write(path: Path, raster: Raster) -> None:
    """The values on their voxel sizes alone: a map with shear is none that HD-BET reads."""
    image: Any = nib.Nifti1Image(  # type: ignore[no-untyped-call]
        raster.data[0], np.diag([*raster.voxel_mm, 1.0])
    )
    image.to_filename(path)


def _run(tool: Extractor, folder: Path) -> None:
    """Call the command; it and whatever it started end after `SECONDS`."""
    order = [tool.command, "-i", "head.nii.gz", "-o", "brain.nii.gz", "-device", "cpu"]
    order += ["--disable_tta", "--save_bet_mask", "--no_bet_image"]
    with subprocess.Popen(  # noqa: S603 - the command of a package that a chain names
        order,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            _, said = process.communicate(timeout=SECONDS)
        except BaseException as error:  # an interrupt must not leave it behind either
            os.killpg(process.pid, signal.SIGKILL)
            if isinstance(error, subprocess.TimeoutExpired):
                raise DataError(f"HD-BET did not end within {SECONDS} s; exclude it") from error
            raise
    if process.returncode:
        lines = said.decode("utf-8", errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "no reason")
        raise DataError(f"HD-BET failed on it ({process.returncode}: {last[:200]})")


@lru_cache(maxsize=4)
def _digest(path: Path, size: int, changed: int) -> str:  # noqa: ARG001 - a changed file is another
    return digest.of_file(path)
