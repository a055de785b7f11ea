"""What the incremental net promises beyond the contract."""

from __future__ import annotations

import torch

from mmmed.modality import Pattern
from mmmed.models.building import build, options


def built(modalities, **chosen):
    torch.manual_seed(0)
    return build(options("incremental")(**chosen), modalities, classes=3, standards={}).eval()


def test_images_of_one_shape_share_one_net(make_modalities, make_batch):
    modalities = make_modalities("image", 4)
    model = built(modalities)
    assert len(model.nets) == 1
    batch = make_batch(modalities)
    (net,) = model.nets.values()
    for name, features in model.features(batch).items():
        assert torch.equal(features, net.backbone(batch.items[name].data))


def test_a_case_is_the_mean_over_all_its_items(make_modalities, make_batch):
    modalities = make_modalities("image", 2)
    model, batch = built(modalities), make_batch(modalities)
    (net,) = model.nets.values()
    logits = {name: net(items.data) for name, items in batch.items.items()}
    for row in range(len(batch)):
        own = [logits[name][items.owner == row] for name, items in batch.items.items()]
        torch.testing.assert_close(model(batch)[row], torch.cat(own).mean(dim=0))


def test_each_phase_learns_from_its_own_modality_alone(make_modalities, make_batch, train):
    modalities = make_modalities("image", 2)
    batch = make_batch(modalities)
    first, second = built(modalities).phases(4)
    assert (first.name, second.name) == ("i0", "i1")
    blind = batch.map(lambda name, data: data if name == "i1" else torch.full_like(data, torch.nan))
    states = []
    for one in (batch, blind):
        model = built(modalities, dropout=0.0)
        train(model, model.phases(4)[1], one, steps=4, rate=1e-2)
        states.append(model.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_validation_scores_what_has_been_learned_by_then(make_modalities, make_batch):
    modalities = make_modalities("image", 2)
    model, batch = built(modalities), make_batch(modalities)
    first, second = model.phases(4)
    seen = batch.presence[:, 0]
    assert torch.equal(second.predict(batch), model(batch))
    assert torch.equal(first.predict(batch)[seen], model(batch.only(Pattern.of(["i0"]))[0]))
    assert not first.predict(batch)[~seen].any()


def test_validation_of_cases_that_show_nothing_learned_yet_is_the_prior(
    make_modalities, make_batch
):
    modalities = make_modalities("image", 2)
    model = built(modalities)
    model.prior.set([0, 1, 1, 2, 2, 2])
    later, _ = make_batch(modalities).only(Pattern.of(["i1"]))
    first, _ = model.phases(4)
    expected = model.prior.log.expand(len(later), 3)
    torch.testing.assert_close(first.predict(later), expected)
