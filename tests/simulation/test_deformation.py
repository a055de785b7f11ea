"""Random fields and warps."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import map_coordinates, zoom

from mmmed.readers.template import grid
from mmmed.simulation.deformation import Wobble, random_points, sampling, spread

SHAPE = (6, 7, 8)
STILL = Wobble(scale=0, degrees=0, shift_mm=0, elastic_mm=0)


def test_sampling_is_scipys_trilinear_interpolation() -> None:
    random = np.random.default_rng(0)
    volumes = random.random((2, *SHAPE), dtype=np.float32)
    points = (random.random((50, 3)) * (np.array(SHAPE) - 1)).astype(np.float32)
    found = sampling(points, SHAPE) @ volumes.reshape(2, -1).T
    for column, volume in enumerate(volumes):
        expected = map_coordinates(volume, points.T, order=1)
        np.testing.assert_allclose(found[:, column], expected, atol=1e-5)


def test_outside_the_edge_is_repeated() -> None:
    volume = np.arange(np.prod(SHAPE), dtype=np.float32).reshape(SHAPE)
    points = np.array([[-3, 2, 2], [9, 2, 2]], dtype=np.float32)
    found = sampling(points, SHAPE) @ volume.reshape(-1)
    np.testing.assert_allclose(found, [volume[0, 2, 2], volume[-1, 2, 2]])


def test_a_control_grid_is_spread_as_scipy_zooms_it() -> None:
    control = np.random.default_rng(0).standard_normal((3, 4, 2)).astype(np.float32)
    expected = zoom(control, np.array(SHAPE) / control.shape, order=1, grid_mode=False)
    np.testing.assert_allclose(spread(control, SHAPE), expected, atol=1e-5)


def _points(wobble: Wobble, *, enlargement: float = 0.0, seed: int = 0) -> np.ndarray:
    space = grid(8)
    support = np.arange(np.prod(space.shape))
    random = np.random.default_rng(seed)
    return random_points(space, support, random, enlargement=enlargement, wobble=wobble)


def test_a_still_head_looks_at_its_own_voxels() -> None:
    expected = np.indices(grid(8).shape).reshape(3, -1).T
    np.testing.assert_allclose(_points(STILL), expected, atol=1e-5)


def test_an_enlarged_head_looks_nearer_to_the_middle() -> None:
    middle = (np.array(grid(8).shape) - 1) / 2
    still, large = _points(STILL) - middle, _points(STILL, enlargement=0.25) - middle
    np.testing.assert_allclose(large, still / 1.25, atol=1e-5)


@pytest.mark.parametrize(
    ("wobble", "expected_mm"),
    [
        (Wobble(scale=0, degrees=0, shift_mm=2, elastic_mm=0), 2.0),
        (Wobble(scale=0, degrees=0, shift_mm=0, elastic_mm=0.001), 0.0),
    ],
)
def test_a_shift_moves_all_voxels_by_millimetres(wobble: Wobble, expected_mm: float) -> None:
    moves = [8 * (_points(wobble, seed=seed) - _points(STILL)).mean(axis=0) for seed in range(60)]
    assert np.std(moves) == pytest.approx(expected_mm, rel=0.2, abs=0.01)
