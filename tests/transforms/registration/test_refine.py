from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from mmmed.transforms.registration.refine import Refined, apart


def rigid(degrees, shift):
    turn = Rotation.from_euler("z", degrees, degrees=True).as_matrix()
    return Refined(1.0, turn, np.array([shift, 0.0, 0.0]))


def test_maps_that_ended_in_one_place_count_once_and_the_best_stays():
    best, same, turned, moved = rigid(0, 0), rigid(1, 1), rigid(5, 0), rigid(0, 4)
    assert apart([best, same, turned, moved], 2) == [best, turned]
    assert apart([best, same], 2) == [best]
