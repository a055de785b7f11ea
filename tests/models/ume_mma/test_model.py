"""What UME-MMA promises beyond the contract."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from mmmed.batch import ModalitySet, pack
from mmmed.modality import Modality, Pattern
from mmmed.models.building import build, options
from mmmed.models.dropout import lose_modalities
from mmmed.models.loss import cross_entropy
from mmmed.models.standard import Standard
from mmmed.models.ume_mma.substitute import Substitute

CASES = 6000
SPREAD = 0.02
"""Of a share of `CASES` draws: more than three standard errors of one third or one half."""


def built(modalities, *, standards=None, **chosen):
    torch.manual_seed(0)
    return build(
        options("ume-mma")(**chosen), modalities, classes=3, standards=standards or {}
    ).eval()


def state(module):
    return {name: one.detach().clone() for name, one in module.state_dict().items()}


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def full(modalities, count):
    """Cases that own everything."""
    random = torch.Generator().manual_seed(1)
    return pack(
        [
            ModalitySet(
                case=str(row),
                subject=str(row),
                items={one.name: [torch.randn(one.shape, generator=random)] for one in modalities},
                label=row % 3,
            )
            for row in range(count)
        ],
        modalities=[one.name for one in modalities],
    )


def test_u1_fusion_starts_from_the_unimodal_weights_bit_for_bit(
    make_modalities, make_batch, train, in_training
):
    modalities = make_modalities("volume", 2)
    model = built(modalities)
    train(model, model.phases(5)[0], make_batch(modalities), steps=3, rate=1e-2)
    learned = {name: state(encoder) for name, encoder in model.encoders.items()}
    fusion = model.phases(5)[1]  # built anew, as training does between two phases
    in_training(model, fusion)
    fused = {id(one) for turn in fusion.turns for one in turn.parameters}
    for name, encoder in model.encoders.items():
        assert same(state(encoder), learned[name])
        assert {id(one) for one in encoder.parameters()} <= fused


def test_u1_a_unimodal_net_never_reads_another_modality(make_modalities, make_batch, train):
    modalities = make_modalities("volume", 2)
    batch = make_batch(modalities)
    blind = batch.map(lambda name, data: data if name == "v0" else torch.full_like(data, torch.nan))
    states = []
    for one in (batch, blind):
        model = built(modalities)
        phase = model.phases(4)[0]
        torch.manual_seed(3)
        only = [turn for turn in phase.turns if turn.loss(one).keys() == {"v0 class"}]
        assert len(only) == 1
        model.nets.train()
        optimiser = torch.optim.SGD(only[0].parameters, lr=0.1)
        for step in range(3):
            torch.manual_seed(step)
            optimiser.zero_grad()
            loss = only[0].loss(one)["v0 class"]
            (loss.sum / loss.count).backward()
            optimiser.step()
        states.append(state(model.nets["v0"]))
    assert same(*states)


@pytest.mark.parametrize("substitute", ["zero", "mean", "noise"])
@pytest.mark.parametrize("item", ["vector", "volume"])
def test_u2_what_is_dropped_changes_neither_output_nor_gradient(
    item, substitute, make_modalities, make_batch
):
    modalities = make_modalities(item, 3)
    batch = make_batch(modalities)
    found = []
    for poison in (False, True):
        model = built(modalities, substitute=substitute, augmentation=1.0, pretrain=False)
        for module in model.phases(4)[0].learns:
            module.train()
        torch.manual_seed(5)
        shown = lose_modalities(batch, 1.0, losing="some")
        dropped = batch.presence & ~shown.presence
        assert dropped.any()
        items = batch.map(lambda _, data: data.clone())
        if poison:
            for column, one in enumerate(modalities):
                mine = items.items[one.name]
                mine.data[dropped[mine.owner, column]] = torch.nan
        torch.manual_seed(5)
        loss = model.fusion_loss(items)["class"]
        loss.sum.backward()
        found.append((loss.sum.detach(), {n: p.grad for n, p in model.named_parameters()}))
    assert torch.equal(found[0][0], found[1][0])
    assert torch.isfinite(found[0][0])
    assert same(found[0][1], found[1][1])


def test_u3_a_third_each_with_two_modalities_and_never_both(make_modalities):
    batch = full(make_modalities("vector", 2), CASES)
    for losing in ("one", "some"):
        kept = lose_modalities(batch, 2 / 3, losing=losing).presence
        assert kept.any(dim=1).all()
        for pattern in ([True, True], [True, False], [False, True]):
            share = (kept == torch.tensor(pattern)).all(dim=1).float().mean()
            assert abs(float(share) - 1 / 3) < SPREAD


def test_u3_with_four_modalities_one_is_lost_or_any_part(make_modalities):
    batch = full(make_modalities("vector", 4), CASES)
    one = lose_modalities(batch, 0.5, losing="one").presence
    assert set(one.sum(dim=1).tolist()) == {3, 4}
    assert abs(float((one.sum(dim=1) == 3).float().mean()) - 0.5) < SPREAD
    assert (one.float().mean(dim=0) - 7 / 8).abs().max() < SPREAD  # each lost by an eighth
    some = lose_modalities(batch, 1.0, losing="some").presence
    codes = (some * torch.tensor([1, 2, 4, 8])).sum(dim=1)
    counts = torch.bincount(codes, minlength=16) / CASES
    assert counts[0] == counts[15] == 0
    assert (counts[1:15] - 1 / 14).abs().max() < SPREAD


def test_u3_only_what_a_case_shows_is_lost_and_never_the_last(make_modalities, make_batch):
    batch = make_batch(make_modalities("vector", 3))
    for losing in ("one", "some"):
        kept = lose_modalities(batch, 1.0, losing=losing).presence
        assert not (kept & ~batch.presence).any()
        lost = batch.presence.sum(dim=1) - kept.sum(dim=1)
        alone = batch.presence.sum(dim=1) == 1
        assert (lost[alone] == 0).all()
        assert (lost[~alone] > 0).all()


def test_u3_augmentation_is_off_in_evaluation(make_modalities, make_batch):
    model = built(make_modalities("volume", 2), augmentation=1.0)
    batch = make_batch(model.modalities)
    assert torch.equal(model(batch), model(batch))


def test_u3_without_augmentation_it_is_plain_fine_tuning_bit_for_bit(make_modalities, make_batch):
    modalities = make_modalities("volume", 2)
    batch = make_batch(modalities)
    states = []
    for plain in (False, True):
        model = built(modalities, augmentation=0.0)
        _, fusion = model.phases(10)
        for module in fusion.learns:
            module.train()
        optimisers = [torch.optim.AdamW(turn.parameters, lr=1e-2) for turn in fusion.turns]
        torch.manual_seed(4)
        for _ in range(3):
            for turn, optimiser in zip(fusion.turns, optimisers, strict=True):
                loss = cross_entropy(model(batch), batch.label) if plain else None
                loss = turn.loss(batch)["class"] if loss is None else loss
                optimiser.zero_grad()
                (loss.sum / loss.count).backward()
                optimiser.step()
        states.append(state(model))
    assert same(*states)


@pytest.mark.parametrize("item", ["vector", "volume"])
def test_u4_the_sum_of_heads_is_one_linear_layer_on_all_embeddings(
    item, make_modalities, make_batch
):
    modalities = make_modalities(item, 3)
    summed, joined = built(modalities), built(modalities, fusion="concat")
    joined.nets.load_state_dict(summed.nets.state_dict())
    heads = [summed.nets[one.name].classifier[1] for one in modalities]
    with torch.no_grad():
        joined.joint[1].weight.copy_(torch.cat([head.weight for head in heads], dim=1))
        joined.joint[1].bias.copy_(torch.stack([head.bias for head in heads]).sum(dim=0))
    batch = make_batch(modalities)
    torch.testing.assert_close(joined(batch), summed(batch), atol=1e-5, rtol=0)


def test_u4_logits_are_heads_of_mean_embeddings_added_up_by_hand(make_modalities):
    modalities = make_modalities("vector", 2)
    model = built(modalities)
    first, second = torch.randn(2, 3), torch.randn(1, 4)
    items = {"x0": list(first), "x1": list(second)}
    batch = pack([ModalitySet("a", "a", items, 0)], modalities=["x0", "x1"])
    a = model.nets["x0"].backbone(first).mean(dim=0)
    v = model.nets["x1"].backbone(second)[0]
    head_a, head_v = (model.nets[name].classifier[1] for name in ("x0", "x1"))
    by_hand = head_a.weight @ a + head_v.weight @ v + head_a.bias + head_v.bias
    torch.testing.assert_close(model(batch)[0], by_hand)


@pytest.mark.parametrize("fusion", ["sum", "concat"])
def test_u5_encoders_of_any_width_fuse(fusion, make_batch):
    modalities = (Modality("v0", "volume", (1, 9, 8, 10)), Modality("x0", "vector", (3,)))
    model = built(modalities, fusion=fusion, backbone={"kind": "conv", "widths": (4, 6)})
    assert {name: one.width for name, one in model.encoders.items()} == {"v0": 6, "x0": 64}
    assert model(make_batch(modalities)).shape == (6, 3)


def test_fusion_starts_from_the_sum_of_the_unimodal_logits(make_modalities, make_batch):
    modalities = make_modalities("volume", 2)
    model = built(modalities)
    whole, _ = make_batch(modalities).only(Pattern.parse("v0+v1"))
    alone = model.phases(5)[0].predict
    torch.testing.assert_close(model(whole), alone(whole))


def test_the_substitute_moves_no_running_statistics_and_is_seen_as_in_test(
    make_modalities, make_batch
):
    modalities = make_modalities("volume", 2)
    model = built(modalities, dropout=0.0, pretrain=False)
    only, _ = make_batch(modalities).only(Pattern.parse("v0"))
    in_test = model._embed(only, "v1")
    before = state(model.nets["v1"])
    for module in model.phases(5)[0].learns:
        module.train()
    assert torch.equal(model._embed(only, "v1"), in_test)
    model(only)
    assert same(before, state(model.nets["v1"]))
    assert all(one.training for one in model.nets["v1"].backbone.modules())


def test_the_head_learns_from_a_substitute_and_its_encoder_does_not(make_modalities, make_batch):
    model = built(make_modalities("volume", 2), substitute="noise", pretrain=False)
    only, _ = make_batch(model.modalities).only(Pattern.parse("v0"))
    model(only)[:, 0].sum().backward()
    absent = model.nets["v1"]
    assert absent.classifier[-1].weight.grad.abs().sum() > 0
    assert all(one.grad is None for one in absent.backbone.parameters())


def test_the_substitute_of_a_vector_is_its_training_mean():
    modality = Modality("x0", "vector", (3,))
    standard = Standard(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1.0, 2.0, 4.0]))
    for kind in ("zero", "mean"):
        assert Substitute(modality, kind, standard=standard)().tolist() == [[1.0, 2.0, 3.0]]
    torch.manual_seed(0)
    noise = Substitute(modality, "noise", standard=standard)
    torch.manual_seed(0)
    assert torch.equal(noise()[0], standard.mean + standard.scale * torch.randn(3))
    assert torch.equal(noise(), noise())


def test_the_mean_of_images_is_that_of_the_training_items_seen():
    modality = Modality("i0", "image", (1, 2, 2))
    substitute = Substitute(modality, "mean", standard=None)
    seen = [torch.full((2, 1, 2, 2), 3.0), torch.full((1, 1, 2, 2), 9.0)]
    for data in seen:
        substitute.count_in(data)
    torch.testing.assert_close(substitute(), torch.full((1, 1, 2, 2), 5.0))
    other = Substitute(modality, "mean", standard=None)
    other.load_state_dict(substitute.state_dict())
    assert torch.equal(other(), substitute())


def test_the_fusion_phase_counts_every_training_item_in_before_its_first_step(
    make_modalities, make_batch
):
    modalities = make_modalities("volume", 2)
    batch = make_batch(modalities)
    model = built(modalities, substitute="mean")
    halves = [batch.select(rows) for rows in torch.arange(len(batch)).split(3)]
    model.phases(5)[1].fit(iter(halves), {"a"})
    for one in modalities:
        mean = batch.items[one.name].data.mean(dim=0)
        torch.testing.assert_close(model.substitutes[one.name]()[0], mean)
    for kind in ("zero", "noise"):
        other = built(modalities, substitute=kind)
        before = state(other.substitutes)
        other.phases(5)[1].fit(iter(halves), {"a"})
        assert same(before, state(other.substitutes))


@pytest.mark.parametrize("kind", ["zero", "mean", "noise"])
def test_the_fusion_starts_at_the_sum_of_the_unimodal_logits_of_what_is_shown(
    make_modalities, make_batch, kind
):
    modalities = make_modalities("volume", 3)
    batch = make_batch(modalities)
    model = built(modalities, substitute=kind)
    unimodal, fusion = model.phases(5)
    fusion.fit(iter([batch]), {"a"})
    assert not bool(batch.presence.all())
    with torch.no_grad():
        torch.testing.assert_close(model(batch), unimodal.predict(batch))


def test_from_scratch_or_with_a_fresh_layer_nothing_is_subtracted(make_modalities, make_batch):
    modalities = make_modalities("volume", 2)
    batch = make_batch(modalities)
    for chosen in ({"pretrain": False}, {"fusion": "concat"}):
        model = built(modalities, **chosen)
        model.phases(5)[-1].fit(iter([batch]), {"a"})
        assert not bool(model.unlearned.any())


def test_zeros_are_not_kept_with_the_weights(make_modalities):
    kept = built(make_modalities("volume", 2)).state_dict()
    assert not [name for name in kept if name.startswith("substitutes")]


def test_from_scratch_there_is_one_phase_with_all_the_steps(make_modalities):
    (phase,) = built(make_modalities("vector", 2), pretrain=False).phases(50)
    assert (phase.name, phase.steps, [turn.rate for turn in phase.turns]) == ("fusion", 50, [1.0])


def test_pre_trained_encoders_learn_more_slowly_than_the_heads(make_modalities):
    model = built(make_modalities("vector", 2), encoder_rate=0.1)
    heads, encoders = model.phases(50)[1].turns
    assert (heads.rate, encoders.rate) == (1.0, 0.1)
    ids = {id(one) for encoder in model.encoders.values() for one in encoder.parameters()}
    assert {id(one) for one in encoders.parameters} == ids
    assert not ids & {id(one) for one in heads.parameters}


def test_augmentation_teaches_what_to_make_of_a_missing_modality(make_modalities, train):
    """A net that must tell x0's class while x1's substitute stands beside it."""
    modalities = (Modality("x0", "vector", (2,)), Modality("x1", "vector", (2,)))
    random = torch.Generator().manual_seed(0)
    label = torch.arange(90) % 3
    means = 2.5 * nn.functional.normalize(torch.tensor([[0.0, 1], [0.9, -0.5], [-0.9, -0.5]]))
    sets = [
        ModalitySet(
            case=str(row),
            subject=str(row),
            items={
                one.name: [means[kind] + torch.randn(2, generator=random)] for one in modalities
            },
            label=int(kind),
        )
        for row, kind in enumerate(label)
    ]
    batch = pack(sets, modalities=["x0", "x1"])
    alone, _ = batch.only(Pattern.parse("x0"))
    losses = {}
    for rate in (0.0, 2 / 3):
        model = built(modalities, augmentation=rate, pretrain=False, dropout=0.0)
        train(model, model.phases(150)[0], batch, steps=150, rate=3e-3)
        losses[rate] = nn.functional.cross_entropy(model(alone), alone.label).item()
    assert losses[2 / 3] < losses[0.0]
