from __future__ import annotations

import hashlib
import random

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmmed.training.randomness import key, seed_all


def test_key_is_the_first_63_bits_of_sha256() -> None:
    text = "\x00".join(("7", "augment", "3"))
    expected = int(hashlib.sha256(text.encode()).hexdigest()[:16], 16) // 2
    assert key(7, "augment", 3) == expected


@given(st.integers(0, 2**40), st.text(max_size=5), st.integers(0, 10**6))
def test_key_fits_a_signed_64_bit_integer(seed: int, stream: str, step: int) -> None:
    assert 0 <= key(seed, stream, step) < 2**63


def test_the_border_between_parts_counts() -> None:
    assert key(0, "ab", "c") != key(0, "a", "bc")


def test_every_global_generator_follows_the_key_whatever_was_drawn_before() -> None:
    drawn = []
    for warm_up in (0, 5):
        seed_all(1, "phase", 2)
        legacy = float(np.random.random())  # noqa: NPY002 - the generator that libraries use
        drawn.append((random.random(), legacy, float(torch.rand(()))))
        random.seed(warm_up), torch.manual_seed(warm_up)
        np.random.seed(warm_up)  # noqa: NPY002 - the same
    assert drawn[0] == drawn[1]


def test_another_step_draws_other_numbers() -> None:
    seed_all(1, "phase", 2)
    first = torch.rand(4)
    seed_all(1, "phase", 3)
    assert not torch.equal(first, torch.rand(4))
