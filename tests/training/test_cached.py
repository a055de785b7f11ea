from __future__ import annotations

import torch
from small_job import equal, make_loader

from mmmed.batch import Batch, pack
from mmmed.training import cached
from mmmed.training.shelf import Shelf


def flattened(batch: Batch) -> Batch:
    return batch.map(lambda _, data: data.flatten(1))


def test_unpack_is_the_inverse_of_pack(shelf: Shelf) -> None:
    batch = make_loader(shelf).batch(0)
    assert equal(pack(cached.unpack(batch), modalities=batch.modalities), batch)


def test_a_cached_batch_is_a_pure_function_of_seed_and_step(shelf: Shelf) -> None:
    one, other = (
        cached.fill(make_loader(shelf), flattened, copies=2, device="cpu") for _ in range(2)
    )
    one.batch(1)
    assert equal(one.batch(7), other.batch(7))


def test_a_cached_batch_holds_the_cases_of_its_step(shelf: Shelf) -> None:
    loader = make_loader(shelf)
    found = cached.fill(loader, flattened, copies=1, device="cpu").batch(4)
    assert found.case == loader.cases_at(4)
    assert found.items["mri"].data.shape == (8, 512)


def test_steps_draw_from_every_copy_of_a_case(shelf: Shelf) -> None:
    loader = make_loader(shelf)
    filled = cached.fill(loader, flattened, copies=3, device="cpu")
    drawn = set()
    for t in range(60):
        batch = filled.batch(t)
        if "sub-001" in batch.case:
            row = batch.case.index("sub-001")
            drawn.add(float(batch.items["mri"].data[row].sum()))
    assert len(drawn) == 3


def test_without_copies_every_case_is_cached_as_it_is(shelf: Shelf) -> None:
    loader = make_loader(shelf)
    found = cached.fill(loader, lambda batch: batch, copies=None, device="cpu").batch(4)
    expected = loader.pack([shelf.set(case, loader.shown[case]) for case in found.case])
    assert all(
        torch.equal(items.data, expected.items[name].data) for name, items in found.items.items()
    )
    assert not all(
        torch.equal(items.data, expected.items[name].data)
        for name, items in loader.batch(4).items.items()
    )


def test_nothing_is_computed_with_gradients(shelf: Shelf) -> None:
    weight = torch.ones((), requires_grad=True)
    found = cached.fill(
        make_loader(shelf),
        lambda batch: batch.map(lambda _, data: data.flatten(1) * weight),
        copies=1,
        device="cpu",
    )
    assert not found.batch(0).items["mri"].data.requires_grad
