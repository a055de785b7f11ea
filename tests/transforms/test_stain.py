"""Haematoxylin and eosin in optical density, against the formula by hand in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import Generator

from mmmed.transforms.augment import augment
from mmmed.transforms.augmentation import Flip, Stain
from mmmed.transforms.chain import Chain
from mmmed.transforms.stain import STAINS, Colours, restained, stained

MEAN, SD = (0.5, 0.4, 0.3), (0.25, 0.2, 0.1)
COLOURS = Colours(MEAN, SD)
NORMALISE = {"kind": "normalise", "mean": MEAN, "sd": SD}
RGB = {"kind": "colour", "to": "rgb"}


def tissue() -> np.ndarray:
    """(3, 5, 7) float64 of 8-bit values from dark to white."""
    return np.random.default_rng(0).integers(30, 256, (3, 5, 7)) / 255


def by_hand(value: np.ndarray, scale: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Separate, change, combine: pixel by pixel, all in float64."""
    absorbed = np.array(STAINS)
    changed = np.empty_like(value)
    for row in range(value.shape[1]):
        for column in range(value.shape[2]):
            density = -np.log(value[:, row, column])
            amounts = np.linalg.solve(absorbed.T, density)
            changed[:, row, column] = np.exp(-absorbed.T @ (amounts * scale + shift))
    return changed.clip(0, 1)


def test_the_change_is_that_of_the_formula() -> None:
    scale, shift = np.array([1.2, 0.9, 1.1]), np.array([0.05, -0.02, 0.1])
    found = restained(
        torch.from_numpy(tissue()), scale=torch.from_numpy(scale), shift=torch.from_numpy(shift)
    )
    np.testing.assert_allclose(found.numpy(), by_hand(tissue(), scale, shift), atol=1e-12)


def test_pure_haematoxylin_grows_by_its_factor_alone() -> None:
    value = torch.tensor(np.exp(-0.8 * np.array(STAINS[0]))).view(3, 1, 1)
    found = restained(value, scale=torch.tensor([1.5, 3.0, 0.2]), shift=torch.zeros(3))
    expected = np.exp(-1.5 * 0.8 * np.array(STAINS[0]))
    np.testing.assert_allclose(found.flatten().numpy(), expected, rtol=1e-7)


def test_without_a_change_every_value_stays_black_and_white_among_them() -> None:
    value = torch.tensor([0.0, 1e-4, 0.5, 1.0], dtype=torch.float64).repeat(3, 1, 1)
    assert torch.equal(restained(value, scale=torch.ones(3), shift=torch.zeros(3)), value)


def test_what_would_be_brighter_than_white_is_white() -> None:
    found = restained(torch.ones(3, 2, 2), scale=torch.ones(3), shift=-torch.ones(3))
    assert torch.equal(found, torch.ones(3, 2, 2))


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**62))
def test_no_spread_is_the_identity_under_any_normalisation(seed: int) -> None:
    item = ((torch.from_numpy(tissue()) - 0.4) / 0.2).float()
    colours = Colours((0.4,) * 3, (0.2,) * 3)
    step = Stain(kind="stain", scale=0, shift=0)
    torch.testing.assert_close(augment(item, [step], seed=seed, colours=colours), item)


def test_the_normalisation_of_the_chain_is_undone_and_done_again() -> None:
    plain = torch.from_numpy(tissue()).float()
    mean, sd = (torch.tensor(one).view(3, 1, 1) for one in (MEAN, SD))
    step = Stain(kind="stain", scale=0.2, shift=0.1)
    one, other = (Generator().manual_seed(3) for _ in range(2))
    found = stained((plain - mean) / sd, step, colours=COLOURS, random=one)
    expected = (stained(plain, step, colours=Colours(), random=other) - mean) / sd
    torch.testing.assert_close(found, expected)
    assert (found * sd + mean - plain).abs().max() > 0.01


def test_a_chain_knows_its_colours_through_two_normalisations() -> None:
    further = {"kind": "normalise", "mean": [1.0, 0.0, -1.0], "sd": [2.0, 1.0, 0.5]}
    chain = Chain.model_validate({"item": "image", "prepare": [RGB, NORMALISE, further]})
    value = np.array([0.1, 0.6, 0.9])
    item = ((value - MEAN) / SD - np.array([1.0, 0.0, -1.0])) / np.array([2.0, 1.0, 0.5])
    np.testing.assert_allclose(item * chain.colours.sd + chain.colours.mean, value)


@pytest.mark.parametrize(
    ("prepare", "augment_steps", "fault"),
    [
        ([NORMALISE], [{"kind": "stain"}], "put `colour` to rgb"),
        ([RGB, {"kind": "colour", "to": "grey"}], [{"kind": "stain"}], "put `colour` to rgb"),
        ([RGB, {"kind": "z-score", "within": "all"}], [{"kind": "stain"}], "z-score stands before"),
        ([RGB], [{"kind": "gain"}, {"kind": "stain"}], "gain stands before"),
    ],
)
def test_a_chain_that_hides_the_colours_from_stain_is_refused(
    prepare: list, augment_steps: list, fault: str
) -> None:
    with pytest.raises(ValidationError, match=fault):
        Chain.model_validate({"item": "image", "prepare": prepare, "augment": augment_steps})


def test_stain_is_for_images_alone() -> None:
    with pytest.raises(ValidationError, match="stain does not fit items of kind volume"):
        Chain.model_validate({"item": "volume", "augment": [{"kind": "stain"}]})


def test_a_seed_gives_the_same_stains_and_seeds_differ() -> None:
    item = torch.from_numpy(tissue()).float()
    steps = [Flip(kind="flip", probability=0), Stain(kind="stain")]
    first, again, other = (augment(item, steps, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
