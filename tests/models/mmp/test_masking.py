"""Which modalities a case shows in a step: never none, each subset as often as declared."""

from __future__ import annotations

import pytest
import torch

from mmmed.models.mmp.masking import draw_shown

DRAWS = 100_000
SIGMAS = 4


def counts(shown):
    """(2^M,) how often each subset occurs; the first modality is the lowest bit."""
    bits = 2 ** torch.arange(shown.shape[1])
    return (shown * bits).sum(dim=1).bincount(minlength=2 ** shown.shape[1])


def is_near(count, probability):
    spread = (DRAWS * probability * (1 - probability)) ** 0.5
    return abs(count - DRAWS * probability) <= SIGMAS * spread


@pytest.mark.parametrize("modalities", [1, 2, 3, 4])
def test_m7_every_non_empty_subset_is_as_likely_and_never_none(modalities):
    found = counts(draw_shown(torch.ones(DRAWS, modalities, dtype=torch.bool))).tolist()
    assert found[0] == 0
    assert all(is_near(count, 1 / (2**modalities - 1)) for count in found[1:])


def test_m7_subsets_are_of_what_a_case_owns():
    owned = torch.tensor([[True, False, True]]).expand(DRAWS, 3)
    found = counts(draw_shown(owned)).tolist()
    assert {number for number, count in enumerate(found) if count} == {0b001, 0b100, 0b101}
    assert all(is_near(found[number], 1 / 3) for number in (0b001, 0b100, 0b101))


def test_m7_a_case_with_one_modality_keeps_it():
    owned = torch.eye(4, dtype=torch.bool)
    assert torch.equal(draw_shown(owned), owned)


def test_m7_the_frequency_is_the_share_of_cases_that_are_drawn():
    found = counts(draw_shown(torch.ones(DRAWS, 2, dtype=torch.bool), frequency=0.3)).tolist()
    assert is_near(found[0b01], 0.1)
    assert is_near(found[0b10], 0.1)
    assert is_near(found[0b11], 0.8)
    owned = torch.tensor([[True, True, False]] * 50)
    assert torch.equal(draw_shown(owned, frequency=0), owned)


def test_m7_a_seed_gives_the_same_subsets():
    owned = torch.ones(64, 3, dtype=torch.bool)
    draws = []
    for seed in (5, 5, 6):
        torch.manual_seed(seed)
        draws.append(draw_shown(owned))
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_one_subset_per_batch_leaves_a_case_that_owns_none_of_it_as_it_is():
    owned = torch.tensor([[True, True, True], [True, True, True], [False, False, True]])
    seen = set()
    for _ in range(200):
        shown = draw_shown(owned, per="batch")
        assert torch.equal(shown[0], shown[1])
        assert torch.equal(shown[2], owned[2])
        seen.add(tuple(shown[0].tolist()))
    assert len(seen) == 7
