from __future__ import annotations

import numpy as np
import pytest

from mmmed.readers import template
from mmmed.transforms.registration.level import FLAT, levelled, plane
from mmmed.transforms.registration.scan import Scan

GRID = template.grid(4.0)
HEAD = np.asarray(template.t1(4.0))
SLOPE = np.array([0.006, -0.004, 0.005])
"""Per mm: across the brain the field grows more than twofold along each axis."""


def under_field(data):
    return Scan((data * np.exp(GRID.centres @ SLOPE)).astype(np.float32), GRID.affine)


def test_a_planted_plane_is_found_over_the_heads_own():
    found = plane(under_field(HEAD)).slope - plane(Scan(HEAD, GRID.affine)).slope
    np.testing.assert_allclose(found, SLOPE, atol=0.0008)


def test_what_is_levelled_is_as_bright_as_before():
    inside = template.brain_mask(4.0) & (HEAD > 0.3)
    before = under_field(HEAD)
    ratio = levelled(before).data[inside] / before.data[inside]
    assert abs(np.log(ratio).mean()) < 0.15


def test_beyond_the_head_the_field_does_not_grow():
    found = plane(under_field(HEAD))
    far = GRID.affine @ np.diag([4.0, 4, 4, 1])
    on = found.on(HEAD.shape, far)
    assert (on.min(), on.max()) == pytest.approx(found.bounds, abs=1e-5)


@pytest.mark.parametrize("data", [HEAD - 0.1, np.zeros_like(HEAD)], ids=["negative", "empty"])
def test_what_no_coil_measured_is_left_as_it_is(data):
    assert plane(Scan(data, GRID.affine)) is FLAT
