from __future__ import annotations

import numpy as np
import pytest
from heads import ct, moved, planted, with_skull
from scipy.ndimage import gaussian_filter

from mmmed.readers import template
from mmmed.readers.nifti import read_volume
from mmmed.transforms.quality import LIMITS, Limit, Quality
from mmmed.transforms.raster import Raster, of_volume
from mmmed.transforms.register import register

GRID = template.grid(2.0)
TURNS = {
    "upside down": np.diag([1.0, 1, -1, 1]),
    "back to front": np.diag([1.0, -1, 1, 1]),
    "lying": np.array([[1.0, 0, 0, 0], [0, 0, -1, 0], [0, 1, 0, 0], [0, 0, 0, 1]]),
}


def checked(raster, like, *, suv=False):
    return register(raster, like, suv=suv).quality


@pytest.mark.parametrize("like", ["t1", "pet"])
@pytest.mark.parametrize("turn", TURNS)
def test_a_head_in_another_pose_than_its_header_states_fails(like, turn):
    data = np.asarray(template.looks(like, 2.0))
    quality = checked(Raster(data[None], TURNS[turn] @ GRID.affine), like)
    assert quality.verdict == "fail"
    assert any("its header misstates its axes" in reason for reason in quality.reasons)


def test_a_ct_of_a_head_fails_as_mri_and_as_pet():
    data, affine = ct()
    for like in ("t1", "pet"):
        assert checked(Raster(data[None], affine), like).verdict == "fail"
    windowed = Raster(data[None].clip(0, 80), affine)
    assert checked(windowed, "t1").verdict == "fail"


def ball(radius):
    places = np.indices((64, 64, 64)) - 32
    return ((places**2).sum(axis=0) < radius**2).astype(np.float32)


def leg():
    """A thigh: muscle with a bone in it, fat around, through the whole field of view."""
    x, y, _ = np.indices((80, 80, 80)) - 40
    from_axis = np.hypot(x, y)
    shells = [(4, 0.3), (7, 0.05), (22, 0.4), (28, 0.9)]
    data = np.zeros((80, 80, 80), np.float32)
    for radius, value in reversed(shells):
        data[from_axis < radius] = value
    return data


def phantom():
    """A filled cylinder as large as a head, with cold rods and hot spheres in it."""
    x, y, z = np.indices((64, 64, 64)) - 32
    data = np.where((np.hypot(x, y) < 30) & (abs(z) < 26), 0.5, 0).astype(np.float32)
    for place, radius in enumerate((2, 3, 4, 5, 6, 7)):
        right, front = 17 * np.cos(place * np.pi / 3), 17 * np.sin(place * np.pi / 3)
        data[(np.hypot(x - right, y - front) < radius) & (data > 0) & (z < 0)] = 0.05
        data[(x - right) ** 2 + (y - front) ** 2 + (z - 12) ** 2 < radius**2] = 1
    return data


@pytest.mark.parametrize("like", ["t1", "pet"])
@pytest.mark.parametrize(
    "data",
    [
        np.random.default_rng(0).random((64, 64, 64)).astype(np.float32),
        gaussian_filter(np.random.default_rng(1).random((64, 64, 64)).astype(np.float32), 3),
        ball(24),
        leg(),
        phantom(),
    ],
    ids=["noise", "smooth noise", "ball", "leg", "phantom"],
)
def test_what_is_no_head_fails(data, like):
    assert checked(Raster(data[None], np.diag([3.0, 3, 3, 1])), like).verdict == "fail"


def test_half_a_head_fails_by_coverage():
    raster = moved(*with_skull(), planted((0, 0, 0), (0, 0, 0), 1.0))
    upper = Raster(raster.data[..., 34:], raster.affine @ _shift(34))
    quality = checked(upper, "t1")
    assert quality.verdict == "fail"
    assert LIMITS["coverage"].verdict(quality.values["coverage"]) != "pass"


def test_an_mri_is_no_pet():
    t1 = Raster(np.asarray(template.t1(2.0))[None], GRID.affine)
    assert checked(t1, "pet").verdict == "fail"


@pytest.mark.parametrize(("factor", "verdict"), [(7.0, "pass"), (0.1, "fail"), (5000.0, "fail")])
def test_suv_of_a_brain_has_a_range(factor, verdict):
    pet = Raster(np.asarray(template.pet(2.0))[None] * np.float32(factor), GRID.affine)
    assert checked(pet, "pet", suv=True).verdict == verdict
    assert checked(pet, "pet").verdict == "pass"


@pytest.mark.parametrize(
    ("value", "verdict"), [(0.6, "pass"), (0.45, "warn"), (0.3, "fail"), (float("nan"), "fail")]
)
def test_a_limit_passes_warns_and_fails(value, verdict):
    assert Limit(0.5, 0.4, "low").verdict(value) == verdict
    assert Limit(-0.5, -0.4, "high").verdict(-value) == verdict


def test_reasons_name_the_check_its_value_and_its_bound():
    quality = Quality({"coverage": 0.93, "similarity": 0.1, "overlap": 1.0})
    assert quality.verdict == "fail"
    assert quality.reasons == (
        "fail: similarity 0.1 (unlike the template inside the brain; at least 0.4)",
        "warn: coverage 0.93 (parts of the brain lie outside the field of view; at least 0.97)",
    )


@pytest.mark.shared
@pytest.mark.parametrize("patient", ["STS_003", "STS_018"])
@pytest.mark.parametrize(("kind", "like"), [("MR_T1", "t1"), ("PET", "pet")])
def test_real_soft_tissue_fails(data, patient, kind, like):
    path = data / "pet-mr-ct-sts" / "nifti" / patient / f"{kind}_image.nii.gz"
    assert checked(of_volume(read_volume(path)), like).verdict == "fail"


def _shift(voxels):
    matrix = np.eye(4)
    matrix[2, 3] = voxels
    return matrix
