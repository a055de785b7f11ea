from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from heads import coloured, moved, off, planted, with_skull
from hypothesis import given, settings
from hypothesis import strategies as st

from mmmed.errors import DataError, GeometryError
from mmmed.readers import template
from mmmed.readers.nifti import read_volume
from mmmed.transforms.raster import Raster, of_volume
from mmmed.transforms.register import register
from mmmed.transforms.registration.align import align, made_alike
from mmmed.transforms.registration.start import poses

WITHIN_MM, WITHIN_DEGREES = 2.0, 2.0
"""What a planted map must be found to; a voxel of the fine template is 4 mm."""

MAPS = [
    planted((22, 8, -6), (30, -25, 40), 0.9),
    planted((-20, -15, 18), (-35, 10, -60), 1.08),
    planted((0, 0, 0), (0, 0, 0), 1.0),
]


def head(like):
    return np.asarray(template.looks(like, 2.0)), template.grid(2.0).affine


@pytest.mark.parametrize("like", ["t1", "pet"])
@pytest.mark.parametrize("matrix", MAPS)
def test_a_planted_map_is_found_and_passes(like, matrix):
    found = register(moved(*head(like), matrix), like, suv=False)
    mm, degrees = off(found.matrix, matrix)
    assert mm < WITHIN_MM
    assert degrees < WITHIN_DEGREES
    assert found.quality.verdict == "pass"


def test_a_head_with_skull_scalp_and_neck_is_found():
    found = register(moved(*with_skull(), MAPS[0]), "t1", suv=False)
    mm, degrees = off(found.matrix, MAPS[0])
    assert mm < WITHIN_MM
    assert degrees < WITHIN_DEGREES
    assert found.quality.verdict == "pass"


@pytest.mark.parametrize("slopes", [(0, 0, -1.0), (0, 1.0, 0), (0.7, 0.7, -0.7)])
def test_a_tilted_head_under_a_strong_field_is_found(slopes):
    """One side of the head is some four times as bright as the other."""
    found = register(coloured(moved(*with_skull(), MAPS[0]), slopes), "t1", suv=False)
    mm, degrees = off(found.matrix, MAPS[0])
    assert mm < WITHIN_MM
    assert degrees < WITHIN_DEGREES
    assert found.quality.verdict == "pass"


@pytest.mark.slow
@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    degrees=st.tuples(*[st.floats(-20, 20)] * 3),
    shift=st.tuples(*[st.floats(-80, 80)] * 3),
    size=st.floats(0.85, 1.1),
    like=st.sampled_from(["t1", "pet"]),
)
def test_any_planted_map_is_found(degrees, shift, size, like):
    matrix = planted(degrees, shift, size)
    found = register(moved(*head(like), matrix), like, suv=False)
    mm, turned = off(found.matrix, matrix)
    assert mm < WITHIN_MM
    assert turned < WITHIN_DEGREES
    assert found.quality.verdict == "pass"


def test_the_same_voxels_give_the_same_bits():
    raster = moved(*head("t1"), MAPS[1])
    again = Raster(raster.data.copy(), raster.affine.copy())
    one, other = (align(made_alike(volume, "t1"), "t1") for volume in (raster, again))
    np.testing.assert_array_equal(one.matrix, other.matrix)


def test_an_oblique_header_is_no_obstacle():
    """The head stands upright in mm although its voxels do not."""
    turn = planted((15, -10, 20), (4, 5, 6), 1.0)
    data, affine = head("t1")
    found = align(made_alike(Raster(data[None], turn @ affine), "t1"), "t1")
    mm, degrees = off(found.matrix, turn)
    assert mm < WITHIN_MM
    assert degrees < WITHIN_DEGREES


def test_there_are_24_poses_and_the_first_is_the_stated_one():
    found = poses()
    assert len({matrix.tobytes() for matrix in found}) == 24
    np.testing.assert_array_equal(found[0], np.eye(3))
    assert all(np.linalg.det(matrix) == pytest.approx(1) for matrix in found)


def test_a_slab_holds_no_brain():
    with pytest.raises(GeometryError, match="200 x 200 x 20 mm holds no brain"):
        made_alike(Raster(np.ones((1, 100, 100, 10), np.float32), np.diag([2.0, 2, 2, 1])), "t1")


def test_an_empty_volume_is_refused():
    with pytest.raises(DataError, match="do not vary"):
        made_alike(Raster(np.zeros((1, 50, 50, 50), np.float32), np.diag([4.0, 4, 4, 1])), "t1")


@pytest.mark.shared
@pytest.mark.parametrize(("name", "like"), [("T1", "t1"), ("PET", "pet")])
def test_spms_templates_pass_and_their_planted_maps_are_found(data, name, like):
    """Over the map of the template as it lies: SPM's brain is larger than nilearn's."""
    volume = read_volume(data / "pet-spm-templates" / f"{name}.nii")
    still = register(of_volume(volume), like, suv=False)
    assert still.quality.verdict == "pass"
    found = register(moved(volume.data, volume.affine, MAPS[0]), like, suv=False)
    mm, degrees = off(found.matrix @ MAPS[0], np.linalg.inv(still.matrix))
    assert mm < WITHIN_MM
    assert degrees < WITHIN_DEGREES
    assert found.quality.verdict == "pass"


@pytest.mark.shared
def test_nilearns_template_as_a_file_is_in_its_own_place(data):
    path = data / "mni-templates" / "mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz"
    assert nib.load(path).shape == (197, 233, 189)
    found = register(of_volume(read_volume(path)), "t1", suv=False)
    mm, _ = off(found.matrix, np.eye(4))
    assert mm < 1.0
    assert found.quality.verdict == "pass"
