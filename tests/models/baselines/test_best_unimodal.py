"""What the best single modality promises beyond the contract."""

from __future__ import annotations

import math

import pytest
import torch

from mmmed.batch import ModalitySet, pack
from mmmed.modality import Modality, Pattern
from mmmed.models.baselines.best_unimodal import MEMORY
from mmmed.models.building import build, options

X0, X1, X2 = (Modality(f"x{place}", "vector", (3,)) for place in range(3))


def built(modalities=(X0, X1, X2), **chosen):
    torch.manual_seed(0)
    return build(options("best-unimodal")(**chosen), modalities, classes=2, standards={}).eval()


def full(signal, *, count=64):
    """Cases that own everything; modality -> how far its classes lie apart."""
    random = torch.Generator().manual_seed(1)
    return pack(
        [
            ModalitySet(
                case=str(row),
                subject=str(row),
                items={
                    name: [torch.randn(3, generator=random) + far * (2 * (row % 2) - 1)]
                    for name, far in signal.items()
                },
                label=row % 2,
            )
            for row in range(count)
        ],
        modalities=list(signal),
    )


def test_the_modality_of_the_lowest_loss_that_a_case_shows_speaks_for_it(make_batch):
    model = built()
    model.running.copy_(torch.tensor([0.5, 0.2, 0.4]))
    batch = make_batch(model.modalities)
    logits, alone = model(batch), model.nets.case_logits(batch)
    first = {"x0": "x0", "x1": "x1", "x2": "x2", "x0+x2": "x2", "x0+x1": "x1", "x0+x1+x2": "x1"}
    for row in range(len(batch)):
        best = first.get(str(batch.pattern(row)))
        if best is not None:
            assert torch.equal(logits[row], alone[best][row])


def test_training_finds_the_order_of_the_modalities(train):
    model = built()
    batch = full({"x0": 0.3, "x1": 2.0, "x2": 0.8})
    (phase,) = model.phases(150)
    train(model, phase, batch, steps=150, rate=3e-3)
    assert model.running.argsort().tolist() == [1, 2, 0]
    alone = model.nets.case_logits(batch)
    assert torch.equal(model(batch), alone["x1"])
    less, _ = batch.only(Pattern.parse("x0+x2"))
    assert torch.equal(model(less), alone["x2"])


def test_the_running_loss_by_hand():
    model = built()
    batch = full({"x0": 0.0, "x1": 0.0, "x2": 0.0})
    (phase,) = model.phases(5)
    loss = phase.turns[1].loss(batch)["x1 class"]
    mean = float(loss.sum.detach() / loss.count)
    expected = math.log(2) + MEMORY * (mean - math.log(2))
    assert model.running.tolist() == pytest.approx([math.log(2), expected, math.log(2)])


def test_a_modality_that_training_never_met_speaks_last(train):
    model = built()
    batch = full({"x0": 2.0, "x1": 2.0, "x2": 2.0})
    kept = torch.tensor([True, True, False]).expand(len(batch), 3)
    train(model, model.phases(60)[0], batch.show(kept), steps=60, rate=3e-3)
    assert model.running.argmax() == 2
    assert model.running[2] == pytest.approx(math.log(2))


def test_the_order_travels_with_the_weights(make_batch):
    model, other = built(), built()
    model.running.copy_(torch.tensor([0.5, 0.2, 0.4]))
    other.load_state_dict(model.state_dict())
    batch = make_batch(model.modalities)
    assert torch.equal(model(batch), other(batch))
