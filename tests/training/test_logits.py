from __future__ import annotations

import numpy as np
import pytest
import torch
from small_job import CASES, Tiny

from mmmed.batch import ModalitySet
from mmmed.errors import PresenceError
from mmmed.training.logits import logits
from mmmed.training.shelf import Shelf


@pytest.fixture(scope="module")
def model(shelf: Shelf) -> Tiny:
    torch.manual_seed(0)
    return Tiny(shelf.modalities).eval()


def sets(shelf: Shelf) -> list[ModalitySet]:
    return [shelf.set(case, shelf.owned(case)) for case in CASES[:7]]


def turned(one: ModalitySet, name: str) -> ModalitySet:
    items = {
        key: tuple(item.flip(1) for item in mine) if key == name else mine
        for key, mine in one.items.items()
    }
    return ModalitySet(one.case, one.subject, items, one.label)


def test_logits_are_the_mean_over_the_volume_and_its_mirror_image(
    model: Tiny, shelf: Shelf
) -> None:
    plain = logits(model, sets(shelf), mirror=(), batch=1, device="cpu")
    other = [turned(one, "mri") for one in sets(shelf)]
    second = logits(model, other, mirror=(), batch=1, device="cpu")
    both = logits(model, sets(shelf), mirror=("mri",), batch=1, device="cpu")
    np.testing.assert_allclose(both, (plain + second) / 2, atol=1e-6)
    assert np.abs(plain - second).max() > 1e-3


def test_one_by_one_a_case_does_not_depend_on_its_neighbours(model: Tiny, shelf: Shelf) -> None:
    together = logits(model, sets(shelf), mirror=("mri", "pet"), batch=1, device="cpu")
    for row, one in enumerate(sets(shelf)):
        alone = logits(model, [one], mirror=("mri", "pet"), batch=1, device="cpu")
        assert np.array_equal(together[row], alone[0])


def test_batches_agree_with_single_cases(model: Tiny, shelf: Shelf) -> None:
    one, many = (
        logits(model, sets(shelf), mirror=("pet",), batch=size, device="cpu") for size in (1, 3)
    )
    np.testing.assert_allclose(one, many, atol=1e-5)


def test_no_case_gives_no_row(model: Tiny) -> None:
    assert logits(model, [], mirror=(), batch=1, device="cpu").shape == (0, 2)


def test_an_unknown_modality_is_an_error(model: Tiny) -> None:
    one = ModalitySet("c", "s", {"ct": (torch.zeros(1, 8, 8, 8),)})
    with pytest.raises(PresenceError, match="'ct' was never seen in training"):
        logits(model, [one], mirror=(), batch=1, device="cpu")
