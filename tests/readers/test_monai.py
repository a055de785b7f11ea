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
import slides
from monai.transforms import LoadImage

from mmmed.errors import SeriesError, SlideError
from mmmed.readers.monai import ScanReader, SlideReader
from mmmed.readers.slide.slide import open_slide


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


def test_a_slide_loads_at_a_magnification(tmp_path: Path) -> None:
    image = slides.landscape(128, 192)
    path = slides.write_tiff(tmp_path / "one.tif", image, mpp=0.5, factors=(1, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loaded = LoadImage(reader=SlideReader(mpp=1.0))(path)
    expected = slides.block_means(image, 2).transpose(2, 0, 1) / 255
    np.testing.assert_allclose(loaded.numpy(), expected, atol=1e-6)
    assert loaded.meta["mpp"] == 1.0


def test_a_slide_is_loaded_by_the_table_of_um_per_pixel(tmp_path: Path) -> None:
    path = slides.write_tiff(tmp_path / "one.tif", slides.landscape(64, 96), mpp=None, factors=(1,))
    reader = SlideReader(mpp=0.5, overrides={"one.tif": 0.25})
    assert reader.get_data(reader.read(path))[0].shape == (3, 32, 48)
    with pytest.raises(SlideError, match="states no um per pixel"):
        SlideReader(mpp=0.5).read(path)


def test_a_whole_slide_larger_than_an_image_may_be_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = slides.write_tiff(tmp_path / "one.tif", slides.landscape(64, 96), mpp=0.5, factors=(1,))
    monkeypatch.setattr("mmmed.readers.slide.overview.LARGEST", 48 * 32)
    assert SlideReader(mpp=1.0).get_data(open_slide(path))[0].shape == (3, 32, 48)
    with pytest.raises(SlideError, match=r"is 96 x 64 pixels at 0\.5 um; .* take it coarser"):
        SlideReader(mpp=0.5).get_data(open_slide(path))
