"""Packed modality sets: owners, presence, order and content; reductions against loops."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.special import softmax
from torch import Tensor

from mmmed.batch import (
    UNLABELLED,
    Batch,
    Items,
    ModalitySet,
    pack,
    segment_max,
    segment_mean,
    segment_softmax,
    segment_sum,
)
from mmmed.errors import PresenceError
from mmmed.modality import Pattern, every_pattern

MODALITIES = ("mri", "pet", "clinical")
SHAPES = {"mri": (1, 2, 2, 2), "pet": (1, 3, 2, 2), "clinical": (4,)}
FEW = settings(max_examples=60, deadline=None)


@st.composite
def cases(draw: st.DrawFn) -> tuple[ModalitySet, ...]:
    """1 to 6 cases with 0 to 3 items per modality, every item of a value of its own."""
    sets = []
    value = 0.0
    for place in range(draw(st.integers(1, 6))):
        counts = draw(st.tuples(*[st.integers(0, 3)] * 3).filter(any))
        items: dict[str, list[Tensor]] = {}
        for name, count in zip(MODALITIES, counts, strict=True):
            items[name] = [torch.full(SHAPES[name], value + index) for index in range(count)]
            value += count
        sets.append(ModalitySet(f"case-{place}", f"sub-{place // 2}", items, label=place % 2))
    return tuple(sets)


PATTERNS = st.sampled_from(every_pattern(MODALITIES))


def same(one: Batch, other: Batch) -> bool:
    """Whether two batches hold the same sets, bit for bit."""
    assert one.label is not None
    assert other.label is not None
    return (
        (one.modalities, one.case, one.subject) == (other.modalities, other.case, other.subject)
        and torch.equal(one.label, other.label)
        and set(one.items) == set(other.items)
        and all(torch.equal(one.items[name].data, other.items[name].data) for name in one.items)
        and all(torch.equal(one.items[name].owner, other.items[name].owner) for name in one.items)
    )


def shown(one: ModalitySet, names: Sequence[str]) -> ModalitySet:
    return ModalitySet(one.case, one.subject, {name: one.items[name] for name in names}, one.label)


@FEW
@given(cases())
def test_packing_keeps_every_item_in_order_with_its_owner(sets: tuple[ModalitySet, ...]) -> None:
    batch = pack(sets, modalities=MODALITIES)
    for name in MODALITIES:
        expected = [(row, item) for row, one in enumerate(sets) for item in one.items[name]]
        assert (name in batch.items) == bool(expected)
        if expected:
            assert batch.items[name].owner.tolist() == [row for row, _ in expected]
            assert torch.equal(batch.items[name].data, torch.stack([item for _, item in expected]))
    assert batch.case == tuple(one.case for one in sets)
    assert batch.subject == tuple(one.subject for one in sets)
    assert batch.label is not None
    assert batch.label.tolist() == [one.label for one in sets]


@FEW
@given(cases())
def test_presence_is_what_the_sets_own(sets: tuple[ModalitySet, ...]) -> None:
    batch = pack(sets, modalities=MODALITIES)
    owned = [[len(one.items[name]) > 0 for name in MODALITIES] for one in sets]
    assert batch.presence.tolist() == owned
    for row, one in enumerate(sets):
        assert set(batch.pattern(row)) == {name for name in MODALITIES if one.items[name]}


@FEW
@given(cases(), PATTERNS)
def test_only_is_packing_what_the_pattern_leaves(
    sets: tuple[ModalitySet, ...], pattern: Pattern
) -> None:
    batch = pack(sets, modalities=MODALITIES)
    rows = [row for row, one in enumerate(sets) if all(one.items[name] for name in pattern)]
    if rows:
        found, kept = batch.only(pattern)
        assert kept.tolist() == rows
        expected = [shown(sets[row], tuple(pattern)) for row in rows]
        assert same(found, pack(expected, modalities=MODALITIES))
    else:
        with pytest.raises(PresenceError, match="no case of the batch owns"):
            batch.only(pattern)


@FEW
@given(cases(), st.data())
def test_select_is_packing_the_selected(sets: tuple[ModalitySet, ...], data: st.DataObject) -> None:
    rows = sorted(data.draw(st.sets(st.integers(0, len(sets) - 1), min_size=1)))
    found = pack(sets, modalities=MODALITIES).select(torch.tensor(rows))
    assert same(found, pack([sets[row] for row in rows], modalities=MODALITIES))


@FEW
@given(cases(), st.data())
def test_show_drops_exactly_what_is_not_kept(
    sets: tuple[ModalitySet, ...], data: st.DataObject
) -> None:
    kept = [data.draw(st.lists(st.booleans(), min_size=3, max_size=3)) for _ in sets]
    left = [
        [name for name, keep in zip(MODALITIES, row, strict=True) if keep and one.items[name]]
        for one, row in zip(sets, kept, strict=True)
    ]
    batch = pack(sets, modalities=MODALITIES)
    if all(left):
        expected = [shown(one, names) for one, names in zip(sets, left, strict=True)]
        assert same(batch.show(torch.tensor(kept)), pack(expected, modalities=MODALITIES))
    else:
        with pytest.raises(PresenceError, match=r"owns no item|at least one item"):
            batch.show(torch.tensor(kept))


@FEW
@given(cases())
def test_map_changes_the_data_and_nothing_else(sets: tuple[ModalitySet, ...]) -> None:
    batch = pack(sets, modalities=MODALITIES)
    twice = batch.map(lambda name, data: data * 2 if name == "mri" else data)
    back = twice.map(lambda name, data: data / 2 if name == "mri" else data)
    assert same(back, batch)
    assert torch.equal(twice.presence, batch.presence)
    if "mri" in batch.items:
        assert torch.equal(twice.items["mri"].data, batch.items["mri"].data * 2)


@FEW
@given(cases(), st.data())
def test_reductions_equal_a_loop_over_cases(
    sets: tuple[ModalitySet, ...], data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(MODALITIES))
    batch = pack(sets, modalities=MODALITIES)
    assume(name in batch.items)
    owner, size = batch.items[name].owner, len(batch)
    seed = data.draw(st.integers(0, 2**31))
    shape = (len(owner), *SHAPES[name])
    values = np.random.default_rng(seed).normal(size=shape)  # float64
    tensor = torch.tensor(values)
    for row in range(size):
        mine = values[owner.numpy() == row]
        if len(mine):
            expected = mine.sum(axis=0), mine.mean(axis=0), mine.max(axis=0)
        else:
            empty = np.zeros(SHAPES[name])
            expected = empty, empty, empty - np.inf
        for reduce, value in zip((segment_sum, segment_mean, segment_max), expected, strict=True):
            np.testing.assert_allclose(reduce(tensor, owner, size)[row], value, rtol=1e-12)


def test_reductions_pass_gradients_to_every_item() -> None:
    owner = torch.tensor([0, 0, 2])
    for reduce in (segment_sum, segment_mean):
        values = torch.tensor([[1.0], [2.0], [3.0]], requires_grad=True)
        reduce(values, owner, 3).sum().backward()
        assert values.grad is not None
        assert (values.grad != 0).all()


owned = st.lists(st.integers(0, 5), min_size=1, max_size=20).map(sorted)
"""Owners of items among six cases, some of which own nothing."""


@settings(deadline=None)
@given(owned, st.integers(0, 2**31))
def test_a_softmax_over_each_case_equals_a_loop_over_cases(owner: list[int], seed: int) -> None:
    scores = np.random.default_rng(seed).normal(size=(len(owner), 2), scale=5)
    shares = segment_softmax(torch.tensor(scores), torch.tensor(owner), 6).numpy()
    for case in set(owner):
        mine = np.array(owner) == case
        np.testing.assert_allclose(shares[mine], softmax(scores[mine], axis=0), rtol=1e-12)


@settings(deadline=None)
@given(owned, st.integers(0, 2**31))
def test_shares_of_a_case_follow_their_items_and_know_no_other_case(
    owner: list[int], seed: int
) -> None:
    scores = torch.randn(len(owner), generator=torch.Generator().manual_seed(seed))
    rows = torch.tensor(owner)
    shares = segment_softmax(scores, rows, 6)
    owns = (torch.bincount(rows, minlength=6) > 0).float()
    torch.testing.assert_close(segment_sum(shares, rows, 6), owns)
    order = torch.randperm(len(owner), generator=torch.Generator().manual_seed(seed))
    torch.testing.assert_close(segment_softmax(scores[order], rows[order], 6), shares[order])
    alone = segment_softmax(scores[rows == owner[0]], rows[rows == owner[0]], 6)
    assert torch.equal(alone, shares[rows == owner[0]])


def test_scores_of_any_size_give_shares() -> None:
    owner = torch.tensor([0, 0, 1, 1, 3])
    scores = torch.tensor([1e30, -1e30, -3e4, -3e4, 88.0], requires_grad=True)
    shares = segment_softmax(scores, owner, 4)
    assert shares.tolist() == [1.0, 0.0, 0.5, 0.5, 1.0]
    shares[2].backward()
    assert scores.grad is not None
    assert scores.grad.tolist() == [0.0, 0.0, 0.25, -0.25, 0.0]


def test_shares_of_half_precision_are_not_half_as_precise() -> None:
    scores = torch.zeros(300, dtype=torch.float16)
    assert segment_softmax(scores, torch.zeros(300, dtype=torch.long), 1).sum() == pytest.approx(1)


def items(count: int = 2, *, owner: Sequence[int] | None = None) -> Items:
    rows = range(count) if owner is None else owner
    return Items(torch.zeros(count, 3), torch.tensor(list(rows), dtype=torch.long))


def batch(**changes: object) -> Batch:
    known = {
        "modalities": ("mri", "pet"),
        "items": {"mri": items()},
        "label": None,
        "case": ("a", "b"),
        "subject": ("a", "b"),
    }
    return Batch(**{**known, **changes})  # type: ignore[arg-type]


def test_no_placeholder_can_be_made() -> None:
    with pytest.raises(PresenceError, match="a modality without items has no key"):
        items(0)
    with pytest.raises(PresenceError, match="case b owns no item"):
        batch(items={"mri": items(1)})
    with pytest.raises(PresenceError, match="case a owns no item"):
        ModalitySet("a", "a", {"mri": ()})
    with pytest.raises(PresenceError, match="at least one item"):
        pack([], modalities=("mri",))


def test_owners_fit_their_items_and_ascend() -> None:
    with pytest.raises(PresenceError, match="2 items need as many owners"):
        items(2, owner=[0])
    with pytest.raises(PresenceError, match="owners must be ascending"):
        items(2, owner=[1, 0])
    with pytest.raises(PresenceError, match="an item is owned by no case"):
        batch(items={"mri": items(3)})
    with pytest.raises(PresenceError, match="an item is owned by no case"):
        batch(items={"mri": items(3, owner=[-1, 0, 1])})


def test_labels_and_subjects_are_as_many_as_cases() -> None:
    with pytest.raises(ValueError, match="2 cases, 1 subjects, 2 labels"):
        batch(subject=("a",))
    with pytest.raises(ValueError, match="2 cases, 2 subjects, 3 labels"):
        batch(label=torch.tensor([0, 1, 1]))


def test_a_modality_that_was_never_seen_is_named() -> None:
    one = ModalitySet("a", "a", {"ct": [torch.zeros(3)]})
    for make in (
        lambda: batch(items={"ct": items()}),
        lambda: pack([one], modalities=("mri", "pet")),
        lambda: batch().only(Pattern.of(["ct"])),
    ):
        with pytest.raises(PresenceError, match=r"'ct' was never seen in training \(mri, pet\)"):
            make()


def test_items_of_one_modality_share_a_shape() -> None:
    sets = [ModalitySet(str(size), "a", {"mri": [torch.zeros(size)]}) for size in (2, 3)]
    with pytest.raises(PresenceError, match=r"mri: items of one batch differ in shape"):
        pack(sets, modalities=("mri",))


@pytest.mark.parametrize("rows", [[1, 0], [0, 0]])
def test_rows_ascend_each_once(rows: list[int]) -> None:
    with pytest.raises(ValueError, match="rows are ascending, each once"):
        batch().select(torch.tensor(rows))


def test_what_is_kept_is_said_for_every_case_and_modality() -> None:
    with pytest.raises(ValueError, match=r"kept is \(B, M\) for 2 cases, not \(2, 1\)"):
        batch().show(torch.ones(2, 1, dtype=torch.bool))


def test_indices_are_64_bit() -> None:
    with pytest.raises(TypeError, match=r"indices are int64, not torch\.int32"):
        batch().select(torch.tensor([0, 1], dtype=torch.int32))


def test_items_are_taken_by_position_or_mask() -> None:
    some = Items(torch.arange(6.0).view(3, 2), torch.tensor([0, 0, 1]))
    for rows in (torch.tensor([1, 2]), torch.tensor([False, True, True])):
        taken = some.take(rows)
        assert taken.data.tolist() == [[2, 3], [4, 5]]
        assert taken.owner.tolist() == [0, 1]


def test_an_unlabelled_case_says_so() -> None:
    packed = pack([ModalitySet("a", "a", {"mri": [torch.zeros(2)]})], modalities=("mri",))
    assert packed.label is not None
    assert packed.label.tolist() == [UNLABELLED]


@pytest.mark.gpu
def test_a_batch_on_a_device_shows_the_same_as_on_the_cpu() -> None:
    here = batch(items={"mri": items(), "pet": items(1)}, label=torch.tensor([0, 1]))
    there = here.to("cuda")
    assert there.items["mri"].data.is_cuda
    assert same(there.only(Pattern.of(["pet"]))[0].to("cpu"), here.only(Pattern.of(["pet"]))[0])
