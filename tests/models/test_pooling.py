"""Attention as a pooling: what every method keeps that offers it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import expit, softmax

from mmmed.batch import pack, segment_sum
from mmmed.models.building import build, options
from mmmed.models.pooling import GatedAttention

BATCH_FREE = 1e-5
PAPER = {"weights": "random", "size": 32}
ATTENDING = [
    *(("hypermm", {"agg": "attention", "head": head}) for head in ("residual", "agreement")),
    ("hypermm", {"agg": "attention", "head": "deep-sets", "pretrain": False}),
    ("hypermm-paper", {**PAPER, "agg": "attention"}),
    *(
        (kind, {"pooling": "attention"})
        for kind in (
            "late-sum",
            "late-fusion",
            "imputation",
            "ume-mma",
            "best-unimodal",
            "complete-case",
            "per-pattern",
        )
    ),
]
every_method_that_attends = pytest.mark.parametrize(
    ("kind", "chosen"),
    ATTENDING,
    ids=[f"{kind}-{chosen.get('head')}" for kind, chosen in ATTENDING],
)


@pytest.fixture
def modalities(make_modalities, kind):
    """Three; of the method that reads no vectors they are images."""
    return make_modalities("image" if kind == "hypermm-paper" else "vector", 3)


def make(kind, chosen, modalities):
    return build(options(kind)(**chosen), modalities, classes=2, standards={}).eval()


def moved(model):
    """The model with attention away from its start."""
    random = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, GatedAttention):
                module.score.weight += torch.randn(module.score.weight.shape, generator=random)
    return model


def names(modalities):
    return [one.name for one in modalities]


def test_shares_are_those_of_the_formula():
    torch.manual_seed(0)
    attention = GatedAttention(5).double().requires_grad_(requires_grad=False)
    torch.nn.init.normal_(attention.score.weight)
    embedded = torch.randn(4, 5, dtype=torch.float64)
    given = {name: one.numpy() for name, one in attention.named_parameters()}
    value = np.tanh(embedded.numpy() @ given["value.weight"].T + given["value.bias"])
    gate = expit(embedded.numpy() @ given["gate.weight"].T + given["gate.bias"])
    score = (value * gate) @ given["score.weight"][0]
    expected = np.concatenate([softmax(score[:3]), softmax(score[3:])])
    shares = attention(embedded, torch.tensor([0, 0, 0, 1]), 2)
    np.testing.assert_allclose(shares, expected, rtol=1e-12)


@every_method_that_attends
def test_a_case_s_shares_sum_to_one_whatever_it_shows(kind, chosen, modalities, make_batch):
    batch = make_batch(modalities)
    shares = moved(make(kind, chosen, modalities)).attention(batch)
    assert {name: len(one) for name, one in shares.items()} == {
        name: len(items) for name, items in batch.items.items()
    }
    totals = sum(
        segment_sum(one, batch.items[name].owner, len(batch)) for name, one in shares.items()
    )
    torch.testing.assert_close(totals, torch.ones(len(batch)))


@every_method_that_attends
def test_a_case_s_shares_do_not_depend_on_its_neighbours(kind, chosen, modalities, make_sets):
    model = moved(make(kind, chosen, modalities))
    sets = make_sets(modalities)
    batch = pack(sets, modalities=names(modalities))
    together = model.attention(batch)
    for row in (1, len(sets) - 1):
        alone = model.attention(pack([sets[row]], modalities=names(modalities)))
        for name, shares in alone.items():
            mine = together[name][batch.items[name].owner == row]
            torch.testing.assert_close(mine, shares, atol=BATCH_FREE, rtol=0)


@every_method_that_attends
def test_attention_starts_at_the_mean(kind, chosen, modalities, make_batch):
    meaning = {name: "mean" if one == "attention" else one for name, one in chosen.items()}
    attending, averaging = (make(kind, one, modalities) for one in (chosen, meaning))
    attending.load_state_dict(averaging.state_dict(), strict=False)
    batch = make_batch(modalities)
    torch.testing.assert_close(attending(batch), averaging(batch), atol=BATCH_FREE, rtol=0)


@every_method_that_attends
def test_training_moves_every_tensor_of_attention(kind, chosen, modalities, make_batch, train):
    model = make(kind, chosen, modalities)
    mine = {n: one.clone() for n, one in model.named_parameters() if _is_attention(n)}
    batch = make_batch(modalities)
    for phase in model.phases(4):
        train(model, phase, batch, steps=max(phase.steps, 3), rate=1e-2)
    after = dict(model.named_parameters())
    assert mine
    assert [name for name, before in mine.items() if torch.equal(before, after[name])] == []


def _is_attention(name):
    return "attention" in name


@pytest.mark.parametrize(
    "kind", ["hypermm", "late-fusion", "best-unimodal", "per-pattern", "early-fusion"]
)
def test_a_method_that_does_not_attend_tells_no_shares_and_computes_none(
    kind, make_modalities, make_batch
):
    modalities = make_modalities("vector", 2)
    model = make(kind, {}, modalities)
    ran = []
    for module in model.modules():
        module.register_forward_pre_hook(lambda *_: ran.append(1))
    assert model.attention(make_batch(modalities)) is None
    assert ran == []
