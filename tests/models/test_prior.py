"""What classes are worth before any scan is counted once, however many items a case has."""

from __future__ import annotations

import math

import pytest
import torch

from mmmed.batch import ModalitySet, pack
from mmmed.modality import Modality
from mmmed.models.building import build, options
from mmmed.models.prior import ClassPrior

MODALITIES = tuple(Modality(f"x{place}", "vector", (3,)) for place in range(4))
ADDING = (
    "hypermm", "late-sum", "late-fusion", "best-unimodal", "mmp", "joint-embedding", "ume-mma",
    "imputation", "incremental", "per-pattern", "complete-case",
)  # fmt: skip
NO_PREDICTION = ("reconstruction", "alignment", " to x0", " to x1", " to x2", " to x3")


def test_shares_follow_laplace_and_are_centred() -> None:
    prior = ClassPrior(2)
    prior.set([1, 1, 0, 1, 1])  # (1 + 1) against (4 + 1)
    odds = prior.log[1] - prior.log[0]
    assert float(odds) == pytest.approx(math.log(5 / 2), rel=1e-6)
    assert float(prior.log.sum()) == pytest.approx(0, abs=1e-6)


def test_classes_of_one_size_leave_every_bit_as_it_is() -> None:
    prior = ClassPrior(3)
    prior.set([0, 1, 2] * 7)
    evidence = torch.randn(5, 3)
    assert torch.equal(prior.plus(evidence), evidence)


def test_a_class_that_nobody_has_is_unlikely_and_not_impossible() -> None:
    prior = ClassPrior(2)
    prior.set([0] * 9)
    assert float(prior.log[1] - prior.log[0]) == pytest.approx(math.log(1 / 10), rel=1e-6)


@pytest.mark.parametrize("kind", ADDING)
@pytest.mark.parametrize("shown", [1, 4])
def test_the_prior_moves_a_prediction_once_whatever_is_shown(kind: str, shown: int) -> None:
    model = build(options(kind)(), MODALITIES, classes=2, standards={}).eval()
    items = {one.name: [torch.ones(3), torch.zeros(3)] for one in MODALITIES[:shown]}
    batch = pack([ModalitySet("a", "a", items)], modalities=[one.name for one in MODALITIES])
    before = model(batch)
    model.prior.set([0, 1, 1, 1, 1])
    torch.testing.assert_close(model(batch) - before, model.prior.log[None])


@pytest.mark.parametrize("kind", ADDING)
def test_every_loss_of_a_prediction_adds_the_prior(kind: str) -> None:
    """Where the prior is sure of the label that all cases have, no prediction can be wrong."""
    model = build(options(kind)(), MODALITIES, classes=2, standards={})
    model.prior.log.copy_(torch.tensor([-50.0, 50.0]))
    items = {one.name: [torch.ones(3), torch.zeros(3)] for one in MODALITIES}
    sets = [ModalitySet(case, case, items, label=1) for case in "ab"]
    batch = pack(sets, modalities=[one.name for one in MODALITIES])
    terms = {}
    for phase in model.phases(2):
        if phase.fit is not None:
            phase.fit([batch], ["a", "b"])
        seen = phase.cache(batch) if phase.cache else batch
        for turn in phase.turns:
            terms |= turn.loss(seen)
    wrong = [name for name, loss in terms.items() if float(loss.sum.detach()) > 1e-6]
    assert all(name.endswith(NO_PREDICTION) for name in wrong), wrong


def test_the_sum_of_evidence_ranks_as_the_law_does_where_classes_are_unequal(train) -> None:
    """Two signs of the label, each right in 4 of 5 cases; nine of ten cases are positive."""
    torch.manual_seed(0)
    model = build(options("late-sum")(), MODALITIES[:2], classes=2, standards={})
    label = [int(place % 10 > 0) for place in range(500)]
    model.prior.set(label)
    sets = []
    for place, one in enumerate(label):
        right = [(place // 10) % 5 > 0, (place // 50) % 5 > 0]
        signs = [2.0 * (one == told) - 1 for told in right]
        items = {f"x{m}": [torch.full((3,), sign)] for m, sign in enumerate(signs)}
        sets.append(ModalitySet(str(place), str(place), items, label=one))
    batch = pack(sets, modalities=["x0", "x1"])
    for phase in model.phases(150):
        train(model, phase, batch, steps=phase.steps, rate=5e-3)
    both = {f"x{m}": [torch.full((3,), -1.0)] for m in range(2)}
    against = pack([ModalitySet("c", "c", both)], modalities=["x0", "x1"])
    odds = model.eval()(against)[0].detach()
    expected = math.log(9) - 2 * math.log(4)
    assert float(odds[1] - odds[0]) == pytest.approx(expected, abs=0.25)
