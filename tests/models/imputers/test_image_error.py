"""Errors inside the brain, by hand and against scikit-image's definition as MONAI has it."""

from __future__ import annotations

import math

import pytest
import torch
from monai.metrics import SSIMMetric

from mmmed.models.imputers.image_error import image_error, inside


def head(*, fill=0.0):
    """Air at -4, a cube of 8^3 from -1 to 1 in the middle of 12^3."""
    volume = torch.full((1, 1, 12, 12, 12), -4.0)
    random = torch.Generator().manual_seed(0)
    volume[..., 2:10, 2:10, 2:10] = 2 * torch.rand((8, 8, 8), generator=random) - 1 + fill
    volume[..., 2, 2, 2], volume[..., 3, 3, 3] = -1.0, 1.0
    return volume


def test_the_brain_is_what_differs_from_the_background():
    assert int(inside(head()).sum()) == 8**3
    assert bool(inside(torch.zeros(1, 1, 4, 4, 4)).all())  # nothing differs: all of it


def test_mae_and_psnr_by_hand():
    truth = head()
    found = image_error(truth + 0.5, truth)
    assert float(found["mae"]) == pytest.approx(0.5)
    assert float(found["psnr"]) == pytest.approx(10 * math.log10(2.0**2 / 0.5**2))


def test_an_error_outside_the_brain_does_not_count():
    truth = head()
    guess = truth.clone()
    guess[..., 0, :, :] += 3.0
    assert float(image_error(guess, truth)["mae"]) == 0.0


def test_an_equal_volume_has_ssim_one_and_a_finite_psnr():
    truth = head()
    found = image_error(truth, truth)
    assert float(found["ssim"]) == pytest.approx(1.0)
    assert math.isfinite(float(found["psnr"]))


def test_where_all_is_brain_ssim_is_that_of_monai():
    random = torch.Generator().manual_seed(0)
    truth = torch.rand((2, 1, 10, 10, 10), generator=random) * 0.5  # nowhere a background
    guess = truth + 0.1 * torch.randn(truth.shape, generator=random)
    for row in range(2):
        one, other = guess[row : row + 1], truth[row : row + 1]
        metric = SSIMMetric(3, data_range=float(other.max() - other.min()), win_size=7)
        expected = float(metric(one, other))
        assert float(image_error(one, other)["ssim"]) == pytest.approx(expected, rel=1e-4)


def test_there_is_one_figure_per_volume():
    truth = torch.cat([head(), head()])
    guess = truth.clone()
    guess[1] += 1.0
    assert image_error(guess, truth)["mae"].tolist() == pytest.approx([0.0, 1.0])
