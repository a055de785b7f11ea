"""Modality dropout."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmmed.batch import ModalitySet, pack
from mmmed.models.dropout import drop_modalities

NAMES = ("a", "b", "c")


def batch_of(owned: list[set[str]]):
    sets = [
        ModalitySet(str(row), str(row), {name: [torch.zeros(1)] for name in sorted(mine)}, 0)
        for row, mine in enumerate(owned)
    ]
    return pack(sets, modalities=NAMES)


@settings(deadline=None, max_examples=50)
@given(
    owned=st.lists(st.sets(st.sampled_from(NAMES), min_size=1), min_size=1, max_size=8),
    rate=st.floats(0, 0.999),
)
def test_no_case_is_emptied_and_nothing_appears(owned, rate):
    batch = batch_of(owned)
    shown = drop_modalities(batch, rate)
    assert shown.case == batch.case
    assert not (shown.presence & ~batch.presence).any()
    assert shown.presence.any(dim=1).all()


def test_rate_zero_is_the_batch_itself():
    batch = batch_of([{"a"}])
    assert drop_modalities(batch, 0.0) is batch


def test_patterns_occur_as_often_as_the_rate_says():
    count, rate = 4000, 0.25
    shown = drop_modalities(batch_of([{"a", "b"}] * count), rate).presence
    both = int((shown[:, 0] & shown[:, 1]).sum())
    expected = (1 - rate) ** 2
    spread = 4 * (expected * (1 - expected) / count) ** 0.5
    assert both / count == pytest.approx(expected, abs=spread)
    only_a = int((shown[:, 0] & ~shown[:, 1]).sum())
    assert only_a / count == pytest.approx((1 - expected) / 2, abs=spread)
