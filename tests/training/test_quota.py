"""Batches that a phase asks something of: enough wanted cases, by lot, and nothing else changed."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from math import sqrt
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_job import Tiny, at, make_loader, train

from mmmed.batch import Batch
from mmmed.modality import Modality, Pattern
from mmmed.models.contract import Loss, Phase, Quota
from mmmed.models.joint_embedding.pairs import is_pair
from mmmed.training.loader import StepLoader
from mmmed.training.shelf import Shelf

MRI, PET, BOTH = (Pattern.parse(text) for text in ("mri", "pet", "mri+pet"))
NOTHING = Shelf(modalities=(Modality("mri", "vector", (1,)),), items={}, label={}, subject={})
"""Who stands in a batch is settled without opening anything."""


def loader_of(cases: int, pairs: int, *, batch: int, seed: int, quota: int | None) -> StepLoader:
    """Of so many cases every one after the first `pairs` shows one modality."""
    shown = {
        f"c{number:03d}": BOTH if number < pairs else (MRI, PET)[number % 2]
        for number in range(cases)
    }
    asked = None if quota is None else Quota(quota, is_pair)
    return StepLoader(NOTHING, list(shown), shown, batch=batch, seed=seed, chains={}, quota=asked)


def wanted(loader: StepLoader, cases: tuple[str, ...]) -> int:
    return sum(is_pair(loader.shown[case]) for case in cases)


@settings(max_examples=200, deadline=None)
@given(
    cases=st.integers(1, 40),
    share=st.floats(0, 1),
    batch=st.integers(1, 20),
    seed=st.integers(0, 5),
    quota=st.integers(0, 24),
    step=st.integers(0, 300),
)
def test_a_batch_holds_what_is_asked_and_keeps_what_it_can(
    cases: int, share: float, batch: int, seed: int, quota: int, step: int
) -> None:
    pairs = round(share * cases)
    plain = loader_of(cases, pairs, batch=batch, seed=seed, quota=None)
    asking = loader_of(cases, pairs, batch=batch, seed=seed, quota=quota)
    before, after = plain.cases_at(step), asking.cases_at(step)
    least = min(quota, pairs, len(before))
    assert len(after) == len(set(after)) == len(before)
    assert wanted(asking, after) == max(least, wanted(plain, before))
    for old, new in zip(before, after, strict=True):  # whoever goes is unwanted, who comes is not
        assert old == new or is_pair(asking.shown[new]) > is_pair(asking.shown[old])


@settings(max_examples=50, deadline=None)
@given(
    steps=st.lists(st.integers(0, 200), min_size=1, max_size=8),
    seed=st.integers(0, 5),
    quota=st.integers(1, 6),
)
def test_a_batch_is_a_pure_function_of_seed_and_step(
    steps: list[int], seed: int, quota: int
) -> None:
    asking = loader_of(30, 5, batch=8, seed=seed, quota=quota)
    found = {step: asking.cases_at(step) for step in steps}
    again = loader_of(30, 5, batch=8, seed=seed, quota=quota)
    assert all(again.cases_at(step) == found[step] for step in sorted(steps, reverse=True))
    under = loader_of(30, 5, batch=8, seed=seed, quota=None).under(Quota(quota, is_pair))
    assert all(under.cases_at(step) == one for step, one in found.items())


def test_seeds_and_steps_draw_differently() -> None:
    one, other = (loader_of(60, 12, batch=8, seed=seed, quota=4) for seed in (0, 1))
    added = [
        frozenset(case for case in loader.cases_at(step) if is_pair(loader.shown[case]))
        for loader in (one, other)
        for step in range(20)
    ]
    assert len(set(added)) > 30


def test_without_a_quota_batches_are_what_they_always_were() -> None:
    shown = {f"c{number:02}": MRI for number in range(10)}
    loader = StepLoader(NOTHING, list(shown), shown, batch=4, seed=7, chains={})
    found = [" ".join(loader.cases_at(step)) for step in range(3)]
    assert found == ["c01 c06 c05 c04", "c07 c09 c08 c00", "c01 c07 c08 c06"]


@pytest.mark.parametrize("quota", [None, 3])
def test_wanted_cases_are_met_equally_often_and_so_are_the_others(quota: int | None) -> None:
    """Within 4.5 standard deviations of a share p of the steps, for all of 40 cases."""
    steps = 4000
    loader = loader_of(40, 6, batch=8, seed=0, quota=quota)
    met = Counter(case for step in range(steps) for case in loader.cases_at(step))
    for kind in (True, False):
        counts = [met[case] for case, shown in loader.shown.items() if is_pair(shown) is kind]
        share = sum(counts) / len(counts) / steps
        assert quota is None or (share > 8 / 40) is kind
        spread = sqrt(steps * share * (1 - share))
        assert max(abs(count - steps * share) for count in counts) < 4.5 * spread


@settings(max_examples=30, deadline=None)
@given(ranks=st.integers(1, 4), step=st.integers(0, 50))
def test_the_shares_of_ranks_make_the_whole_batch(shelf: Shelf, ranks: int, step: int) -> None:
    loader = make_loader(shelf).under(Quota(8, is_pair))
    shares = [loader.batch(step, rank=rank, ranks=ranks).case for rank in range(ranks)]
    assert sorted(case for share in shares for case in share) == sorted(loader.cases_at(step))


def test_a_phase_that_asks_is_given_it_and_a_phase_that_does_not_is_left_alone(
    shelf: Shelf, tmp_path: Path, asking: dict[str, list[Batch]]
) -> None:
    train(shelf, tmp_path)
    assert all(int(batch.presence.all(dim=1).sum()) >= 7 for batch in asking["set"])
    plain = make_loader(shelf)
    assert [batch.case for batch in asking["single"]] == [plain.cases_at(t) for t in range(20)]
    loader = plain.under(Quota(7, is_pair))
    assert [batch.case for batch in asking["set"]] == [loader.cases_at(t) for t in range(20, 30)]
    assert any(plain.cases_at(t) != loader.cases_at(t) for t in range(20, 30))


@pytest.mark.parametrize("step", [2, 8])
def test_a_resumed_phase_with_a_quota_ends_with_the_same_bits(
    shelf: Shelf, tmp_path: Path, asking: dict[str, list[Batch]], step: int
) -> None:
    whole = train(shelf, tmp_path / "whole")[0].state_dict()
    with pytest.raises(KeyboardInterrupt):
        train(shelf, tmp_path / "cut", report=at("set", step, _interrupt))
    again = train(shelf, tmp_path / "cut")[0].state_dict()
    assert all(torch.equal(value, again[name]) for name, value in whole.items())


@pytest.fixture
def asking(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Batch]]:
    """The second phase of `Tiny` asks for seven complete cases; phase -> the batches it learns."""
    phases = Tiny.phases
    heard: dict[str, list[Batch]] = {"single": [], "set": []}

    def with_quota(model: Tiny, steps: int) -> tuple[Phase, ...]:
        single, last = phases(model, steps)
        return (single, replace(last, quota=Quota(7, is_pair)))

    def heeding(name: str, loss: object) -> object:
        def heed(model: Tiny, batch: Batch) -> Mapping[str, Loss]:
            heard[name].append(batch)
            return loss(model, batch)  # type: ignore[operator]

        return heed

    monkeypatch.setattr(Tiny, "phases", with_quota)
    monkeypatch.setattr(Tiny, "item_loss", heeding("single", Tiny.item_loss))
    monkeypatch.setattr(Tiny, "set_loss", heeding("set", Tiny.set_loss))
    return heard


def _interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)
