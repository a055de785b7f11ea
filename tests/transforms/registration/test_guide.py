from __future__ import annotations

import numpy as np
import pytest
from heads import moved, off, planted, with_skull

from mmmed.errors import DataError
from mmmed.readers import template
from mmmed.transforms.raster import Raster
from mmmed.transforms.register import Guide, register, register_through

HEAD = planted((10, 5, -8), (20, -10, 30), 0.93)
"""From the template to where the MRI shows the head."""

TURN = planted((-6, 4, 10), (12, -6, 8), 1.0)
"""From the MRI to the PET: the same head, rigidly."""


@pytest.fixture(scope="module")
def mri():
    return moved(*with_skull(), HEAD)


@pytest.fixture(scope="module")
def pet():
    return moved(np.asarray(template.pet(2.0)), template.grid(2.0).affine, TURN @ HEAD)


def test_a_pet_takes_the_map_of_its_mri(mri, pet):
    own = register(mri, "t1", suv=False)
    found = register_through(pet, Guide(mri, None), suv=False)
    difference, degrees = off(found.matrix @ TURN, np.linalg.inv(own.matrix))
    assert difference < 1.5
    assert degrees < 1
    scales = np.linalg.svd(np.linalg.inv(own.matrix[:3, :3]) @ found.matrix[:3, :3])[1]
    np.testing.assert_allclose(scales, 1, atol=1e-6)
    assert found.quality.verdict == "pass"


def test_an_mri_that_declares_its_place_is_believed(mri, pet):
    """The MRI's axes are relabelled so that its head seems to lie 6 mm too high."""
    shift = planted((0, 0, 0), (0, 0, 6), 1.0)
    in_place = Raster(mri.data, shift @ np.linalg.inv(HEAD) @ mri.affine)
    found = register_through(pet, Guide(in_place, "sidecar MNI152Lin"), suv=False)
    lifted = found.matrix @ TURN @ HEAD @ np.append(np.zeros(3), 1.0)
    np.testing.assert_allclose(lifted[:3], (0, 0, 6), atol=2.5)


def test_an_mri_that_is_no_head_guides_nothing(pet):
    ball = ((np.indices((60, 60, 60)) - 30) ** 2).sum(axis=0) < 20**2
    raster = Raster(ball[None].astype(np.float32), np.diag([3.0, 3, 3, 1]))
    with pytest.raises(DataError, match="the MRI is no head in its place"):
        register_through(pet, Guide(raster, None), suv=False)


def test_an_mri_that_declares_a_place_far_from_the_brain_guides_nothing(mri, pet):
    away = Raster(mri.data, planted((0, 0, 0), (900, 0, 0), 1.0) @ mri.affine)
    with pytest.raises(DataError, match="does not reach the template's brain"):
        register_through(pet, Guide(away, "sidecar MNI152Lin"), suv=False)
