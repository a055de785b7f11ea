"""Volumes on disk that declare the template's space, or do not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from mmmed.readers import template
from mmmed.readers.source import Source

SaveVolume = Callable[..., Source]


@pytest.fixture
def save_volume(tmp_path: Path) -> SaveVolume:
    """Writes noise on the 4 mm template grid (or other data) with a sidecar."""

    def save(
        name: str = "sub-1_T1w.nii.gz",
        data: np.ndarray | None = None,
        *,
        affine: np.ndarray | None = None,
        space: str | None = "MNI152NLin2009aSym",
    ) -> Source:
        grid = template.grid(4.0)
        if data is None:
            data = np.random.default_rng(len(name)).normal(100, 20, grid.shape).astype(np.float32)
        path = tmp_path / "data" / name
        path.parent.mkdir(exist_ok=True)
        nib.save(nib.Nifti1Image(data, grid.affine if affine is None else affine), path)
        if space:
            sidecar = path.with_name(path.name.split(".")[0] + ".json")
            sidecar.write_text(json.dumps({"SpatialReference": space}))
        return Source(path)

    return save
