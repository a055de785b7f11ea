"""Standardisation of vectors."""

from __future__ import annotations

import pytest
import torch

from mmmed.errors import StudyError
from mmmed.modality import Modality
from mmmed.models.standard import Standard, Standardise, standard_of

VECTOR = Modality("x", "vector", (2,))


def test_mean_and_scale_are_taken_out():
    layer = Standardise(Standard(torch.tensor([1.0, 2.0]), torch.tensor([2.0, 4.0])))
    assert layer(torch.tensor([[3.0, -2.0]])).tolist() == [[1.0, -1.0]]


def test_the_figures_travel_with_the_weights_and_are_not_trained():
    layer = Standardise(Standard(torch.ones(2), torch.ones(2)))
    assert set(layer.state_dict()) == {"mean", "scale"}
    assert list(layer.parameters()) == []


def test_a_modality_without_a_standard_stays_as_it_is():
    chosen = standard_of(VECTOR, {})
    assert (chosen.mean.tolist(), chosen.scale.tolist()) == ([0, 0], [1, 1])


def test_a_standard_of_another_width_is_refused():
    with pytest.raises(StudyError, match="x: vectors have 2 variables, their standard 3"):
        standard_of(VECTOR, {"x": Standard(torch.zeros(3), torch.ones(3))})


def test_a_scale_of_zero_is_refused():
    with pytest.raises(StudyError, match="positive"):
        Standard(torch.zeros(1), torch.zeros(1))


def test_mean_and_scale_of_two_widths_are_refused():
    with pytest.raises(StudyError, match="one width"):
        Standard(torch.zeros(2), torch.ones(3))
