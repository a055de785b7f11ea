from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmmed import library
from mmmed.transforms.augment import augment, mirrored
from mmmed.transforms.augmentation import Flip, Gain, Noise, Offset, QuarterTurns, Roll
from mmmed.transforms.chain import load_chain

STEPS = load_chain(library.find("transforms", "brain-mri", start=None)).augment
NOISE = Noise(kind="noise", sd=0.1)


def item():
    return torch.arange(2 * 4 * 5 * 6, dtype=torch.float32).reshape(2, 4, 5, 6)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**62))
def test_a_seed_gives_the_same_bits_and_the_item_stays(seed):
    given_item = item()
    torch.manual_seed(0)
    first = augment(given_item, [*STEPS, NOISE], seed=seed)
    torch.manual_seed(1)
    assert torch.equal(first, augment(given_item, [*STEPS, NOISE], seed=seed))
    assert torch.equal(given_item, item())
    assert (first.shape, first.dtype) == (given_item.shape, given_item.dtype)


def test_seeds_differ():
    results = {tuple(augment(item(), STEPS, seed=seed).flatten().tolist()) for seed in range(20)}
    assert len(results) == 20


def test_no_global_generator_is_touched():
    before = torch.get_rng_state()
    augment(item(), [*STEPS, NOISE], seed=3)
    assert torch.equal(before, torch.get_rng_state())


def test_threads_do_not_meet():
    alone = [augment(item(), [*STEPS, NOISE], seed=seed) for seed in range(64)]
    with ThreadPoolExecutor(8) as pool:
        together = list(
            pool.map(lambda seed: augment(item(), [*STEPS, NOISE], seed=seed), range(64))
        )
    assert all(torch.equal(one, other) for one, other in zip(alone, together, strict=True))


@pytest.mark.parametrize(("probability", "share"), [(0.0, 0.0), (1.0, 1.0), (0.5, 0.5)])
def test_flip_mirrors_left_and_right_with_its_probability(probability, share):
    step = Flip(kind="flip", probability=probability)
    results = [augment(item(), [step], seed=seed) for seed in range(400)]
    assert all(torch.equal(one, item()) or torch.equal(one, item().flip(1)) for one in results)
    turned = sum(not torch.equal(one, item()) for one in results) / len(results)
    assert abs(turned - share) <= 0.1


def test_roll_shifts_by_at_most_its_voxels_and_keeps_every_value():
    step = Roll(kind="roll", voxels=1)
    expected = {
        tuple(torch.roll(item(), (a, b, c), (1, 2, 3)).flatten().tolist())
        for a in (-1, 0, 1)
        for b in (-1, 0, 1)
        for c in (-1, 0, 1)
    }
    found = {tuple(augment(item(), [step], seed=seed).flatten().tolist()) for seed in range(500)}
    assert found == expected


@pytest.mark.parametrize(
    ("step", "effect"),
    [
        (Gain(kind="gain", sd=0.05), lambda one: float((one / (item() + 1e-9)).median()) - 1),
        (Offset(kind="offset", sd=0.05), lambda one: float((one - item()).mean())),
    ],
)
def test_gain_and_offset_have_their_spread(step, effect):
    effects = torch.tensor([effect(augment(item(), [step], seed=seed)) for seed in range(600)])
    assert abs(float(effects.mean())) < 0.01
    assert abs(float(effects.std()) - 0.05) < 0.006


def test_noise_is_white_and_fits_vectors():
    vector = torch.zeros(10_000)
    done = augment(vector, [NOISE], seed=0)
    assert abs(float(done.std()) - 0.1) < 0.005
    assert abs(float((done[1:] * done[:-1]).mean())) < 0.001


def test_no_steps_give_the_item_back():
    one = item()
    assert augment(one, (), seed=0) is one


def picture(height=4, width=4):
    return torch.arange(3 * height * width, dtype=torch.float32).reshape(3, height, width)


@pytest.mark.parametrize(
    ("of", "axis", "turned"),
    [
        (item, "left-right", 1),
        (item, "up-down", 3),
        (picture, "left-right", 2),
        (picture, "up-down", 1),
    ],
)
def test_left_right_and_up_down_are_axes_of_the_kind_of_item(of, axis, turned):
    step = Flip(kind="flip", axis=axis, probability=1.0)
    assert torch.equal(augment(of(), [step], seed=0), of().flip(turned))


def test_quarter_turns_are_four_and_equally_likely():
    step = QuarterTurns(kind="quarter-turns")
    turns = [picture().rot90(number, (1, 2)) for number in range(4)]
    counts = [0, 0, 0, 0]
    for seed in range(400):
        done = augment(picture(), [step], seed=seed)
        counts[[torch.equal(done, one) for one in turns].index(True)] += 1
    assert min(counts) > 70


def test_the_shipped_chain_of_photographs_is_a_function_of_its_seed():
    steps = load_chain(library.find("transforms", "photograph", start=None)).augment
    first = augment(picture(), steps, seed=5)
    assert torch.equal(first, augment(picture(), steps, seed=5))
    assert len({tuple(augment(picture(), steps, seed=s).flatten().tolist()) for s in range(9)}) == 9
    assert first.shape == picture().shape


def test_mirroring_exchanges_left_and_right():
    assert torch.equal(mirrored(item()), item().flip(1))
    assert torch.equal(mirrored(picture(2, 3)), picture(2, 3).flip(2))
    assert torch.equal(mirrored(mirrored(item())), item())
