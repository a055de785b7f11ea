"""The reader for MONAI's `LoadImage`."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import slices
from monai.transforms import LoadImage

from mmmed.errors import SeriesError
from mmmed.readers.monai import ScanReader


def load(path: Path, **options: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # LoadImage makes MONAI's own readers too, and they warn
        return LoadImage(reader=ScanReader(**options))(path)


def test_a_folder_of_slices_loads_with_its_affine(tmp_path: Path) -> None:
    pixels = slices.stored()
    slices.save(slices.headers(pixels), tmp_path)
    image = load(tmp_path)
    wanted = nib.as_closest_canonical(nib.Nifti1Image(pixels.astype(float), slices.affine()))
    np.testing.assert_array_equal(image.numpy(), wanted.get_fdata())
    np.testing.assert_allclose(image.affine, wanted.affine)


def test_a_nifti_file_loads_with_its_affine(save_volume: Callable[..., Path]) -> None:
    data = np.random.default_rng(0).random((4, 5, 6), np.float32)
    image = load(save_volume(data, affine=np.diag([2.0, 3, 4, 1])))
    np.testing.assert_array_equal(image.numpy(), data)
    np.testing.assert_allclose(image.affine, np.diag([2.0, 3, 4, 1]))


def test_one_of_several_volumes_is_chosen_by_its_label(tmp_path: Path) -> None:
    pixels = [slices.stored(seed=seed) for seed in (1, 2)]
    slices.save(slices.echoes(pixels), tmp_path)
    image = load(tmp_path, label="echo 2")
    wanted = nib.as_closest_canonical(nib.Nifti1Image(pixels[1].astype(float), slices.affine()))
    np.testing.assert_array_equal(image.numpy(), wanted.get_fdata())
    with pytest.raises(SeriesError, match="2 volumes; choose by label: 'echo 1', 'echo 2'"):
        ScanReader().read(tmp_path)
