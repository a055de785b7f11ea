"""Scans that show more than a head, less than one, or none."""

from __future__ import annotations

import numpy as np
import pytest
from heads import moved, off, planted, with_body, with_neck, with_skull

from mmmed.readers import template
from mmmed.readers.nifti import read_volume
from mmmed.transforms.raster import Raster
from mmmed.transforms.register import register

WITHIN_MM = 2.0
MATRIX = planted((-15, 3, 8), (-10, 15, -20), 0.9)
HALF_TURNS = {
    "left-right": np.diag([1.0, -1, -1, 1]),
    "back-front": np.diag([-1.0, 1, -1, 1]),
    "down-up": np.diag([-1.0, -1, 1, 1]),
}
"""By the axis turned about."""


@pytest.mark.parametrize("length_mm", [300, 1000])
def test_the_head_of_a_body_is_found_under_a_bright_bladder(length_mm):
    found = register(with_body(length_mm, MATRIX, bladder=8), "pet", suv=False)
    assert off(found.matrix, MATRIX)[0] < WITHIN_MM
    assert found.quality.verdict == "pass"


def test_the_head_above_neck_and_shoulders_is_found():
    found = register(with_neck(420, MATRIX), "t1", suv=False)
    assert off(found.matrix, MATRIX)[0] < WITHIN_MM
    assert found.quality.verdict == "pass"


def test_a_body_without_its_head_fails():
    body = with_body(1100, MATRIX, bladder=8)
    headless = register(Raster(body.data[..., :-75], body.affine), "pet", suv=False)
    assert headless.quality.verdict == "fail"


@pytest.mark.parametrize(("top_mm", "verdict"), [(66, "pass"), (75, "fail"), (105, "fail")])
def test_a_head_passes_while_its_scan_shows_the_top_of_the_brain(top_mm, verdict):
    """The brain ends 66 mm below the upper end of the whole field of view."""
    scan = moved(*with_skull(), MATRIX, 3.0)
    cut = top_mm // 3
    found = register(Raster(scan.data[..., :-cut], scan.affine), "t1", suv=False)
    assert found.quality.verdict == verdict
    assert verdict == "fail" or off(found.matrix, MATRIX)[0] < WITHIN_MM


@pytest.mark.parametrize("axis", HALF_TURNS)
@pytest.mark.parametrize("kind", ["skull", "body"])
def test_a_head_after_half_a_turn_fails(axis, kind):
    scan = moved(*with_skull(), MATRIX) if kind == "skull" else with_body(600, MATRIX)
    turned = Raster(scan.data, HALF_TURNS[axis] @ scan.affine)
    like = "t1" if kind == "skull" else "pet"
    assert register(turned, like, suv=False).quality.verdict == "fail"


def test_a_mirrored_head_cannot_be_told_from_its_mirror_image():
    """Heads are all but symmetric: left and right rest on the header, and nothing here sees it."""
    data = np.asarray(template.t1(3.0))
    mirror = np.diag([-1.0, 1, 1, 1]) @ template.grid(3.0).affine
    assert register(Raster(data[None], mirror), "t1", suv=False).quality.verdict == "pass"


@pytest.mark.shared
@pytest.mark.parametrize("axis", HALF_TURNS)
@pytest.mark.parametrize(
    ("name", "like"), [("STS_003/MR_T1", "t1"), ("STS_018/MR_T1", "t1"), ("STS_003/PET", "pet")]
)
def test_real_soft_tissue_fails_after_half_a_turn(data, name, like, axis):
    volume = read_volume(data / "pet-mr-ct-sts" / "nifti" / f"{name}_image.nii.gz")
    turned = Raster(volume.data[None], HALF_TURNS[axis] @ volume.affine)
    assert register(turned, like, suv=False).quality.verdict == "fail"
