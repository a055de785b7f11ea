"""The templates on the brain's grid."""

from __future__ import annotations

import nibabel
import numpy as np
import pytest
from nilearn.datasets import load_mni152_gm_template

from mmmed.errors import GeometryError
from mmmed.readers import template


def test_the_grid_at_4_mm_is_40_by_48_by_48() -> None:
    assert template.grid(4).shape == (40, 48, 48)


@pytest.mark.parametrize(("voxel_mm", "shape"), [(2, (80, 96, 96)), (1, (160, 192, 192))])
def test_finer_grids_cover_the_same_box(voxel_mm: float, shape: tuple[int, int, int]) -> None:
    grid = template.grid(voxel_mm)
    assert grid.shape == shape
    first_edge = grid.affine[:3, 3] - voxel_mm / 2
    np.testing.assert_allclose(first_edge, [-80, -112, -74])


@pytest.mark.parametrize("voxel_mm", [1, 2, 3, 4, 6, 2.5])
def test_mirroring_the_first_axis_mirrors_left_and_right(voxel_mm: float) -> None:
    right = template.grid(voxel_mm).centres[:, 0, 0, 0]
    np.testing.assert_allclose(right[::-1], -right, atol=1e-4)


@pytest.mark.parametrize("voxel_mm", [2, 3, 4])
def test_the_whole_brain_lies_inside_the_grid(voxel_mm: float) -> None:
    volume_ml = template.brain_mask(voxel_mm).sum() * voxel_mm**3 / 1000
    # 29398 voxels of 4 mm in nilearn's own uncropped mask
    assert volume_ml == pytest.approx(29398 * 64 / 1000, rel=0.01)


def test_the_affine_is_ras() -> None:
    assert nibabel.aff2axcodes(template.grid(4).affine) == ("R", "A", "S")


def test_values_stand_where_nilearn_has_them() -> None:
    source = load_mni152_gm_template(resolution=1)
    data, affine = source.get_fdata(), source.affine
    grid = template.grid(4)
    index = np.array([[13, 23, 14], [20, 12, 25], [30, 40, 20]])
    mm = index @ grid.affine[:3, :3] + grid.affine[:3, 3]
    there = np.rint(np.linalg.inv(affine) @ np.c_[mm, np.ones(3)].T).astype(int)[:3]
    np.testing.assert_allclose(template.gm(4)[tuple(index.T)], data[tuple(there)], atol=1e-5)


@pytest.mark.parametrize("name", ["t1", "gm", "wm", "brain_mask"])
def test_templates_share_the_grid_and_cannot_be_changed(name: str) -> None:
    data = getattr(template, name)(4)
    assert data.shape == template.grid(4).shape
    assert 0 <= data.min() < data.max() <= 1
    with pytest.raises(ValueError, match="read-only"):
        data[0, 0, 0] = 1


@pytest.mark.parametrize("voxel_mm", [0.0, -4.0, 0.1, 40.0, float("nan"), float("inf")])
def test_an_impossible_voxel_size_is_refused(voxel_mm: float) -> None:
    with pytest.raises(GeometryError, match=r"voxel size .* mm: choose one from 0.5 to 16"):
        template.grid(voxel_mm)
