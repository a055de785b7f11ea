from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_job import CHAINS, TRAIN, equal, make_loader, make_shelf, owned

from mmmed.modality import Pattern
from mmmed.training.loader import StepLoader, Views, forced
from mmmed.training.shelf import Shelf

MRI = Pattern.parse("mri")


def test_a_batch_is_a_pure_function_of_seed_and_step(shelf: Shelf) -> None:
    loader = make_loader(shelf)
    expected = loader.batch(5)
    torch.manual_seed(99)
    for step in (11, 2, 5):
        again = loader.batch(step)
    assert equal(expected, again)
    assert equal(expected, make_loader(shelf).batch(5))


def test_the_order_in_which_cases_are_named_does_not_matter(shelf: Shelf) -> None:
    turned = StepLoader(shelf, TRAIN[::-1], owned(shelf, TRAIN), batch=8, seed=0, chains=CHAINS)
    assert equal(make_loader(shelf).batch(4), turned.batch(4))


def test_another_seed_gives_another_order(shelf: Shelf) -> None:
    assert make_loader(shelf, seed=0).cases_at(0) != make_loader(shelf, seed=1).cases_at(0)


@settings(max_examples=20, deadline=None)
@given(batch=st.integers(1, 40), epoch=st.integers(0, 5))
def test_an_epoch_shows_no_case_twice_and_leaves_out_less_than_a_batch(
    shelf: Shelf, batch: int, epoch: int
) -> None:
    loader = make_loader(shelf, batch=batch)
    per_epoch = len(TRAIN) // loader.size
    cases = [
        case
        for t in range(epoch * per_epoch, (epoch + 1) * per_epoch)
        for case in loader.cases_at(t)
    ]
    assert max(Counter(cases).values()) == 1
    assert len(TRAIN) - len(cases) < loader.size


def test_the_shares_of_ranks_make_the_batch_of_one_process(shelf: Shelf) -> None:
    loader = make_loader(shelf)
    whole = loader.batch(3)
    shares = [loader.batch(3, rank=rank, ranks=3) for rank in range(3)]
    assert sorted(case for share in shares for case in share.case) == sorted(whole.case)
    case = shares[1].case[0]
    mine, row = shares[1].items["mri"].data[0], whole.case.index(case)
    assert torch.equal(mine, whole.items["mri"].data[row])


def test_augmentation_of_an_item_does_not_depend_on_what_else_is_shown(shelf: Shelf) -> None:
    alone = StepLoader(shelf, TRAIN, dict.fromkeys(TRAIN, MRI), batch=8, seed=0, chains=CHAINS)
    assert torch.equal(
        alone.batch(2).items["mri"].data, make_loader(shelf).batch(2).items["mri"].data
    )


def test_two_steps_augment_a_case_differently(shelf: Shelf) -> None:
    loader = make_loader(shelf)
    first, second = (loader.load("sub-001", draw=t).items["mri"][0] for t in (0, 1))
    assert not torch.equal(first, second)


@pytest.mark.parametrize("poison", ["deleted", "noise"])
def test_poisoned_files_of_hidden_items_change_no_bit(tmp_path: Path, poison: str) -> None:
    shelf = make_shelf(tmp_path)
    hidden = [case for case in TRAIN if "pet" in shelf.owned(case)][::2]
    shown = owned(shelf, TRAIN) | dict.fromkeys(hidden, MRI)
    loader = StepLoader(shelf, TRAIN, shown, batch=8, seed=0, chains=CHAINS)
    views = Views(shelf, shown, batch=8)
    clean = [loader.batch(t) for t in range(6)] + list(views)
    for case in hidden:
        path = tmp_path / f"{case}_pet.npy"
        path.unlink()
        if poison == "noise":
            np.save(path, np.random.default_rng(1).normal(size=(1, 8, 8, 8)).astype(np.float32))
    poisoned = [loader.batch(t) for t in range(6)] + list(views)
    assert all(equal(one, other) for one, other in zip(clean, poisoned, strict=True))


def test_a_loader_goes_on_where_its_state_was_taken(shelf: Shelf) -> None:
    one, other = make_loader(shelf), make_loader(shelf)
    next(one), next(one)
    other.load_state_dict(one.state_dict())
    assert equal(next(iter(one)), next(iter(other)))


def test_the_state_of_another_seed_is_refused(shelf: Shelf) -> None:
    with pytest.raises(ValueError, match="seed 1"):
        make_loader(shelf).load_state_dict({"seed": 1, "step": 2})


def test_views_are_in_order_and_not_augmented(shelf: Shelf) -> None:
    batches = list(Views(shelf, owned(shelf, TRAIN), batch=10))
    assert [case for batch in batches for case in batch.case] == list(TRAIN)
    expected = shelf.set(TRAIN[0], MRI).items["mri"][0]
    assert torch.equal(batches[0].items["mri"].data[0], expected)


def test_forced_views_show_the_pattern_alone(shelf: Shelf) -> None:
    views = forced(shelf, owned(shelf, TRAIN), Pattern.parse("pet"), batch=10)
    assert len(views) == 16  # every third of 24 has no PET
    assert all(set(batch.items) == {"pet"} for batch in views)
