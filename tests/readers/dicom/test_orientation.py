"""Where voxels lie, in any position of the patient, against SimpleITK and nibabel."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK
import slices
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from mmmed.readers.dicom.series import read_series
from mmmed.readers.silence import silent

with silent():  # its readers warn that they are experimental
    from nibabel.nicom.dicomwrappers import wrapper_from_file

CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
PRONE = (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0)
FEET_FIRST = (-1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
DECUBITUS_RIGHT = (0.0, 1.0, 0.0, -1.0, 0.0, 0.0)
DECUBITUS_LEFT = (0.0, -1.0, 0.0, 1.0, 0.0, 0.0)
PLANES = [slices.AXIAL, CORONAL, SAGITTAL, PRONE, FEET_FIRST, DECUBITUS_RIGHT, DECUBITUS_LEFT]


def check(orientation: Sequence[float], step: float, folder: Path) -> None:
    """Voxel by voxel, our volume holds what SimpleITK's has at the same place of the patient."""
    pixels = slices.stored()
    series = slices.headers(pixels, orientation=orientation, step=step)
    paths = slices.save(series, folder)
    (read,) = read_series(paths)
    ordered = sorted(paths, reverse=step < 0)  # SimpleITK takes them in the order given
    theirs = SimpleITK.ReadImage(list(map(str, ordered)))
    direction = np.array(theirs.GetDirection()).reshape(3, 3) * theirs.GetSpacing()
    affine = nib.affines.from_matvec(direction, theirs.GetOrigin())
    lps = np.diag([-1.0, -1, 1, 1])
    array = SimpleITK.GetArrayFromImage(theirs).T.astype(float)
    wanted = nib.as_closest_canonical(nib.Nifti1Image(array, lps @ affine))
    np.testing.assert_allclose(read.volume.affine, wanted.affine, atol=1e-4)
    np.testing.assert_array_equal(read.volume.data, wanted.get_fdata())
    assert np.linalg.det(read.volume.affine[:3, :3]) > 0


@pytest.mark.parametrize("step", [slices.STEP, -slices.STEP])
@pytest.mark.parametrize("orientation", PLANES)
def test_a_volume_lies_where_simpleitk_finds_it(
    tmp_path: Path, orientation: Sequence[float], step: float
) -> None:
    check(orientation, step, tmp_path)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**32 - 1),
    step=st.sampled_from([slices.STEP, -slices.STEP]),
)
def test_so_it_does_in_any_double_oblique_orientation(
    tmp_path_factory: pytest.TempPathFactory, seed: int, step: float
) -> None:
    turned = Rotation.random(rng=seed).as_matrix().round(8)
    check([*turned[0], *turned[1]], step, tmp_path_factory.mktemp("oblique"))


@pytest.mark.parametrize("orientation", PLANES)
def test_the_first_slice_lies_where_nibabel_finds_it(
    tmp_path: Path, orientation: Sequence[float]
) -> None:
    paths = sorted(slices.save(slices.headers(slices.stored(), orientation=orientation), tmp_path))
    (read,) = read_series(paths)
    single = wrapper_from_file(str(paths[0]))
    affine = np.diag([-1.0, -1, 1, 1]) @ single.affine  # nibabel's is in LPS, (row, column)
    for row, column in ((0, 0), (7, 0), (3, 9)):
        index = np.linalg.inv(read.volume.affine) @ affine @ [row, column, 0, 1]
        place = tuple(index[:3].round().astype(int))
        np.testing.assert_allclose(index[:3], place, atol=1e-6)
        assert read.volume.data[place] == single.get_unscaled_data()[row, column]


@pytest.mark.parametrize("position", ["HFS", "FFP", "HFDR", "", "upside down"])
def test_the_text_of_the_patient_s_position_decides_nothing(tmp_path: Path, position: str) -> None:
    series = slices.headers(slices.stored())
    for header in series:
        header.add_new("PatientPosition", "LO", position)
    (read,) = read_series(slices.save(series, tmp_path))
    canonical = nib.as_closest_canonical(nib.Nifti1Image(slices.stored(), slices.affine()))
    np.testing.assert_allclose(read.volume.affine, canonical.affine, atol=1e-9)
