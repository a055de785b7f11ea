"""What the late methods promise beyond the contract."""

from __future__ import annotations

import torch

from mmmed.batch import ModalitySet, pack
from mmmed.modality import Pattern
from mmmed.models.building import build, options


def built(kind, modalities, **chosen):
    torch.manual_seed(0)
    return build(options(kind)(**chosen), modalities, classes=3, standards={}).eval()


def test_the_late_sum_adds_the_logits_of_what_is_shown(make_modalities, make_batch):
    modalities = make_modalities("vector", 3)
    model = built("late-sum", modalities)
    batch, _ = make_batch(modalities).only(Pattern.parse("x0+x1+x2"))
    expected = sum(model(batch.only(Pattern.of([one.name]))[0]) for one in modalities)
    torch.testing.assert_close(model(batch), expected)


def test_under_one_modality_the_late_sum_is_that_modality_s_net(make_modalities, make_sets):
    modalities = make_modalities("volume", 2)
    model = built("late-sum", modalities)
    one = next(one for one in make_sets(modalities) if set(one.items) == {"v0"})
    net = model.nets["v0"](torch.stack(list(one.items["v0"])))
    assert torch.equal(model(pack([one], modalities=["v0", "v1"])), net.mean(dim=0, keepdim=True))


def test_a_net_of_the_late_sum_learns_from_its_own_modality_alone(
    make_modalities, make_batch, train
):
    modalities = make_modalities("vector", 2)
    batch = make_batch(modalities)
    blind = batch.map(lambda name, data: data if name == "x0" else torch.full_like(data, torch.nan))
    states = []
    for one in (batch, blind):
        model = built("late-sum", modalities, dropout=0.0)
        train(model, model.phases(4)[0], one, steps=4, rate=1e-2)
        states.append(model.nets["x0"].state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_several_items_of_a_modality_count_as_their_mean(make_modalities):
    modalities = make_modalities("vector", 2)
    vector = torch.randn(3)
    once, twice = (
        pack([ModalitySet("a", "a", {"x0": [vector] * count}, 0)], modalities=["x0", "x1"])
        for count in (1, 2)
    )
    for kind in ("late-sum", "late-fusion"):
        model = built(kind, modalities)
        torch.testing.assert_close(model(once), model(twice))


def test_late_fusion_starts_as_the_late_sum(make_modalities, make_batch):
    modalities = make_modalities("vector", 3)
    fusion, plain = built("late-fusion", modalities), built("late-sum", modalities)
    plain.nets.load_state_dict(fusion.nets.state_dict())
    batch = make_batch(modalities)
    torch.testing.assert_close(fusion(batch), plain(batch))


def test_mean_late_fusion_divides_by_the_modalities_shown(make_modalities, make_batch):
    modalities = make_modalities("vector", 3)
    batch = make_batch(modalities)
    summed = built("late-fusion", modalities, combine="sum")(batch)
    mean = built("late-fusion", modalities, combine="mean")(batch)
    shown = batch.presence.sum(dim=1, keepdim=True)
    torch.testing.assert_close(mean * shown, summed)
