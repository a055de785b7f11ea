"""Small NIfTI files, each with one thing said about it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

SaveVolume = Callable[..., Path]


@pytest.fixture
def save_volume(tmp_path: Path) -> SaveVolume:
    """Writes an array as NIfTI by nibabel and returns the path."""

    def save(
        data: np.ndarray,
        *,
        affine: np.ndarray | None = None,
        name: str = "volume.nii.gz",
        version: int = 1,
        **header: Any,
    ) -> Path:
        kind = {1: nib.Nifti1Image, 2: nib.Nifti2Image}[version]
        image = kind(data, np.eye(4) if affine is None else affine)
        for key, value in header.items():
            image.header[key] = value
        path = tmp_path / name
        nib.save(image, path)
        return path

    return save
