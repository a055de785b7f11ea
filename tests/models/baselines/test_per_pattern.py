"""What separate models per pattern promise beyond the contract."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from mmmed.batch import ModalitySet, pack
from mmmed.errors import StudyError
from mmmed.modality import Modality, Pattern, every_pattern
from mmmed.models.building import build, options


def built(modalities, **chosen):
    torch.manual_seed(0)
    return build(options("per-pattern")(**chosen), modalities, classes=2, standards={}).eval()


def bit(value):
    return torch.tensor([2.0 * value - 1])


def state(model, pattern):
    return {n: one.clone() for n, one in model.specialists[pattern].state_dict().items()}


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


def test_there_is_a_specialist_per_pattern_and_they_share_nothing(make_modalities):
    model = built(make_modalities("vector", 6))
    assert len(model.specialists) == 63
    seen = [id(p) for one in model.specialists.values() for p in one.parameters()]
    assert len(seen) == len(set(seen))


def test_a_case_is_predicted_by_the_specialist_of_just_what_it_shows(make_modalities, make_sets):
    modalities = make_modalities("vector", 3)
    model = built(modalities)
    batch = pack(make_sets(modalities)[::-1], modalities=["x0", "x1", "x2"])
    logits = model(batch)
    for pattern in every_pattern(["x0", "x1", "x2"]):
        rows = [row for row in range(len(batch)) if batch.pattern(row) == pattern]
        alone = model.specialists[str(pattern)](batch.select(torch.tensor(rows)))
        torch.testing.assert_close(logits[rows], alone)


def test_a_specialist_learns_from_all_who_own_its_pattern_shown_just_that(
    make_modalities, make_batch, train
):
    modalities = make_modalities("volume", 2)
    batch = make_batch(modalities)
    shown, _ = batch.only(Pattern.parse("v0"))
    assert len(shown) == 4  # two of v0, two of v0+v1
    states = []
    for seen in (batch, shown):
        model = built(modalities, dropout=0.0)
        train(model, model.phases(4)[0], seen, steps=4, rate=1e-2)
        states.append(state(model, "v0"))
    assert same(*states)


def test_what_a_pattern_does_not_show_never_reaches_its_specialist(
    make_modalities, make_batch, train
):
    modalities = make_modalities("volume", 2)
    batch = make_batch(modalities)
    blind = batch.map(lambda name, data: data if name == "v0" else torch.full_like(data, torch.nan))
    states = []
    for seen in (batch, blind):
        model = built(modalities, dropout=0.0)
        (phase,) = model.phases(1)
        terms = {name: loss for name, loss in phase.turns[0].loss(seen).items() if name == "v0 v0"}
        optimiser = torch.optim.SGD(model.specialists["v0"].parameters(), lr=0.1)
        terms["v0 v0"].sum.backward()
        optimiser.step()
        states.append(state(model, "v0"))
    assert same(*states)


def test_one_turn_teaches_as_many_turns_would(make_modalities, make_batch, train):
    """No parameter is in two losses, so a specialist's steps do not depend on its siblings."""
    modalities = make_modalities("vector", 2)
    batch = make_batch(modalities)
    together, apart = (built(modalities, dropout=0.0) for _ in range(2))
    train(together, together.phases(5)[0], batch, steps=5, rate=1e-2)
    (phase,) = apart.phases(5)
    mine = apart.specialists["x0+x1"]
    apart.specialists.train()
    optimiser = torch.optim.AdamW(mine.parameters(), lr=1e-2)
    for _ in range(5):
        terms = phase.turns[0].loss(batch)
        own = [one.sum / one.count for name, one in terms.items() if name.startswith("x0+x1 ")]
        optimiser.zero_grad()
        torch.stack(own).sum().backward()
        optimiser.step()
    for name, one in state(together, "x0+x1").items():
        torch.testing.assert_close(one, state(apart, "x0+x1")[name], atol=1e-6, rtol=1e-5)


def test_losses_are_the_fused_prediction_s_and_each_net_s_by_hand(make_modalities):
    modalities = make_modalities("vector", 2)
    model = built(modalities)
    first, second = torch.randn(2, 3), torch.randn(1, 4)
    items = {"x0": list(first), "x1": list(second)}
    batch = pack([ModalitySet("a", "a", items, 1)], modalities=["x0", "x1"])
    terms = model.pattern_loss(batch)
    assert sorted(terms) == ["x0 x0", "x0+x1 fused", "x0+x1 x0", "x0+x1 x1", "x1 x1"]
    mine = model.specialists["x0+x1"]
    a, b = mine.nets["x0"](first), mine.nets["x1"](second)
    fused = a.mean(dim=0) + b[0]  # the head starts at zero
    assert {name: one.count for name, one in terms.items()} == {
        "x0 x0": 2,
        "x1 x1": 1,
        "x0+x1 fused": 1,
        "x0+x1 x0": 2,
        "x0+x1 x1": 1,
    }
    one = torch.tensor([1])
    torch.testing.assert_close(terms["x0+x1 fused"].sum, functional.cross_entropy(fused[None], one))
    torch.testing.assert_close(
        terms["x0+x1 x0"].sum, functional.cross_entropy(a, one.expand(2), reduction="sum")
    )


def test_a_specialist_can_tell_what_only_both_modalities_tell(train):
    """Exclusive or: no sum of unimodal logits can."""
    modalities = tuple(Modality(name, "vector", (1,)) for name in ("x0", "x1"))
    sets = [
        ModalitySet(str(row), str(row), {"x0": [bit(row & 1)], "x1": [bit(row >> 1)]}, label)
        for row, label in enumerate((0, 1, 1, 0))
    ]
    batch = pack(sets, modalities=["x0", "x1"])
    model = built(modalities)
    train(model, model.phases(100)[0], batch, steps=100, rate=1e-2)
    assert model(batch).argmax(dim=1).tolist() == [0, 1, 1, 0]


def test_a_pattern_that_no_training_case_owns_is_one_clear_line(make_modalities):
    model = built(make_modalities("volume", 2))
    model.require_teachable([Pattern.parse("v0+v1")])  # it owns v0 and v1 as well
    with pytest.raises(StudyError, match=r"^per-pattern: no training case owns v0\+v1, so it "):
        model.require_teachable([Pattern.parse("v0"), Pattern.parse("v1")])
