"""Slices as pictures in 0..1."""

from __future__ import annotations

import pytest
import torch

from mmmed.models.hypermm.slices import pictures


@pytest.mark.parametrize(("axis", "slices"), [(0, 2), (1, 3), (2, 4)])
def test_a_volume_is_cut_along_its_axis(axis, slices):
    volume = torch.arange(24.0).view(1, 2, 3, 4)
    found = list(pictures(volume, axis=axis, size=8))
    assert [one.shape for one in found] == [(1, 3, 8, 8)] * slices


def test_a_grey_slice_stands_in_all_three_channels_and_keeps_its_place_between_extremes():
    volume = torch.full((1, 8, 8, 3), -5.0)
    volume[..., 1] = 0.0
    volume[..., 2] = 15.0
    levels = [one.unique().tolist() for one in pictures(volume, axis=2, size=8)]
    assert levels == [[0.0], [0.25], [1.0]]


def test_an_image_of_three_channels_stays_as_it_is():
    image = torch.linspace(0, 1, 3 * 8 * 8).view(3, 8, 8)
    (found,) = pictures(image, axis=2, size=8)
    torch.testing.assert_close(found[0], image)


def test_an_item_of_one_value_is_black():
    (found,) = pictures(torch.full((1, 4, 6), 7.0), axis=0, size=32)
    assert torch.equal(found, torch.zeros(1, 3, 32, 32))


def test_a_shrunken_slice_is_smoothed():
    stripes = torch.tensor([0.0, 1.0]).repeat(32).expand(1, 64, 64)
    (found,) = pictures(stripes, axis=0, size=8)
    assert 0.3 < float(found.min()) <= float(found.max()) < 0.7
