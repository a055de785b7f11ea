"""The invariants H1 to H12 of HyperMM that hold without the paper's VGG11.

H6 (sizes), H7's VGG part and H8 (slice order) belong to the paper-faithful form.
"""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from pydantic import ValidationError
from torch import nn
from torch.nn import functional

from mmmed.batch import Batch, Items, ModalitySet, pack
from mmmed.errors import PresenceError
from mmmed.modality import Modality, every_pattern
from mmmed.models.backbones.backbone import ResNet
from mmmed.models.hypermm.model import HyperMM, Options

SAME = 1e-5
"""float32 sums in another order."""

generations = pytest.mark.parametrize("generate", ["all", "last"])
heads = pytest.mark.parametrize("head", ["residual", "deep-sets"])
every_head = pytest.mark.parametrize("head", ["residual", "agreement", "deep-sets"])


def model_of(modalities, **chosen) -> HyperMM:
    torch.manual_seed(3)
    model = HyperMM(Options(**chosen), modalities, classes=2, standards={})
    if chosen.get("head", "residual") in ("residual", "agreement"):
        nn.init.normal_(model.head.rho[-1].weight)
    return model.eval()


def case_of(items, *, label=0) -> ModalitySet:
    return ModalitySet(case="a", subject="a", items=items, label=label)


def noise(*shape) -> torch.Tensor:
    return torch.randn(*shape)


def applied(layer: nn.Linear, x: list[float]) -> list[float]:
    """A linear layer by hand."""
    rows = zip(layer.weight.tolist(), layer.bias.tolist(), strict=True)
    return [sum(w * one for w, one in zip(row, x, strict=True)) + b for row, b in rows]


@pytest.fixture
def volumes(make_modalities):
    return make_modalities("volume", 2)


H3 = {"modalities": True, "mean": True, "max": True, "attention": True, "sum": False}
"""Aggregation -> whether a set with every item twice is the same set to it."""


@generations
@every_head
@pytest.mark.parametrize("agg", ["modalities", "sum", "mean", "max"])
def test_h1_the_order_of_the_set_is_irrelevant(generate, head, agg, volumes):
    model = model_of(volumes, generate=generate, head=head, agg=agg)
    tiles = [noise(*volumes[0].shape) for _ in range(3)]
    other = [noise(*volumes[1].shape)]
    logits = [
        model(pack([case_of({"v0": list(order), "v1": other})], modalities=["v0", "v1"]))
        for order in itertools.permutations(tiles)
    ]
    for one in logits:
        torch.testing.assert_close(one, logits[0], atol=SAME, rtol=0)


@generations
def test_h2_as_many_images_pass_through_phi_as_the_set_has(generate, volumes, monkeypatch):
    model = model_of(volumes, generate=generate)
    seen = []
    trunk = model.extractor.trunks["volume1"]
    trunk.register_forward_hook(lambda _, given, __: seen.append(len(given[0])))
    three_of_two_cases = pack(
        [
            case_of({"v0": [noise(*volumes[0].shape)] * 2, "v1": [noise(*volumes[1].shape)]}),
            case_of({"v0": [noise(*volumes[0].shape)]}),
        ],
        modalities=["v0", "v1"],
    )
    model(three_of_two_cases)
    assert seen == [3, 1]
    seen.clear()
    model(three_of_two_cases.only(every_pattern(["v0"])[0])[0])
    assert seen == [3]


@generations
@heads
def test_h3_duplicated_elements_count_in_a_sum_alone(generate, head, volumes):
    tile = noise(*volumes[0].shape)
    once = pack([case_of({"v0": [tile]})], modalities=["v0", "v1"])
    twice = pack([case_of({"v0": [tile, tile]})], modalities=["v0", "v1"])
    for agg, same in H3.items():
        model = model_of(volumes, generate=generate, head=head, agg=agg)
        assert torch.allclose(model(once), model(twice), atol=SAME) is same, agg


def test_attention_is_refused_where_no_set_network_learns(volumes):
    with pytest.raises(ValidationError, match="agg: attention learns with a set network"):
        model_of(volumes, agg="attention", head="evidence")


@generations
@every_head
def test_h4_one_element_is_rho_of_phi_and_every_subset_runs(generate, head, volumes, make_batch):
    model = model_of(volumes, generate=generate, head=head)
    image = noise(1, *volumes[0].shape)
    single = Batch(("v0", "v1"), {"v0": Items(image, torch.tensor([0]))}, None, ("a",), ("a",))
    phi = model.extractor({"v0": image})["v0"].phi
    alone = model.head(single, {"v0": phi}, model.classifier)
    assert torch.equal(model(single), alone)
    full = make_batch(volumes)
    assert all(len(model(full.only(one)[0])) for one in every_pattern(["v0", "v1"]))
    with pytest.raises(PresenceError, match="owns no item"):
        pack([case_of({})], modalities=["v0", "v1"])


def test_h5_the_shared_feature_is_equal_and_phi_differs_by_modality(volumes):
    model = model_of(volumes, generate="last")
    image = noise(2, *volumes[0].shape)
    encoded = model.extractor({"v0": image, "v1": image})
    assert torch.equal(encoded["v0"].before, encoded["v1"].before)
    assert not torch.allclose(encoded["v0"].phi, encoded["v1"].phi, atol=1e-3)


def test_without_a_hypernetwork_phi_knows_no_modality(volumes):
    model = model_of(volumes, generate="none")
    image = noise(2, *volumes[0].shape)
    encoded = model.extractor({"v0": image, "v1": image})
    assert torch.equal(encoded["v0"].phi, encoded["v1"].phi)


def test_without_a_set_network_evidence_adds_up(volumes, make_batch):
    model = model_of(volumes, head="evidence")
    full = make_batch(volumes)
    both, _ = full.only(every_pattern(["v0", "v1"])[-1])
    evidence = model._evidence(both)
    assert torch.equal(model(both), evidence)
    assert [phase.name for phase in model.phases(10)] == ["extractor"]
    with pytest.raises(ValueError, match="head: evidence has none"):
        Options(head="evidence", joint=True)


@generations
def test_h5_conditioning_leaves_no_state(generate, volumes):
    model = model_of(volumes, generate=generate)
    image = noise(2, *volumes[0].shape)
    first, other, third = (model.extractor({name: image})[name].phi for name in ("v0", "v1", "v0"))
    assert torch.equal(first, third)
    assert not torch.allclose(first, other, atol=1e-3)


@generations
@every_head
def test_h7_the_set_phase_moves_neither_extractor_nor_phase_1_head(
    generate, head, volumes, make_batch, train
):
    model = model_of(volumes, generate=generate, head=head)
    batch = make_batch(volumes)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    train(model, model.phases(10)[1], batch, steps=3, rate=1e-2)
    moved = {
        name.split(".")[0]
        for name, value in model.state_dict().items()
        if not torch.equal(value, before[name])
    }
    assert moved == {"head"}
    rest = [one for name, one in model.named_parameters() if not name.startswith("head.")]
    assert all(one.grad is None for one in rest)


def test_h7_phase_1_leaves_the_set_network(volumes, make_batch, train):
    model = model_of(volumes)
    before = {name: value.clone() for name, value in model.head.state_dict().items()}
    train(model, model.phases(10)[0], make_batch(volumes), steps=3, rate=1e-2)
    assert all(torch.equal(value, before[name]) for name, value in model.head.state_dict().items())


@generations
def test_h9_a_case_scores_the_same_alone_and_in_a_ragged_batch(
    generate, volumes, make_batch, make_sets
):
    model = model_of(volumes, generate=generate)
    together = model(make_batch(volumes))
    for row, one in enumerate(make_sets(volumes)):
        alone = model(pack([one], modalities=["v0", "v1"]))
        torch.testing.assert_close(alone[0], together[row], atol=SAME, rtol=0)


def test_h10_the_phase_1_loss_is_cross_entropy_plus_squared_error():
    model = model_of(
        (Modality("x", "vector", (2,)),), generate="last", reconstruction=1.0, dropout=0.0
    )
    batch = pack([case_of({"x": [torch.tensor([1.0, -2.0])]}, label=1)], modalities=["x"])
    encoded = model.extractor({"x": batch.items["x"].data})["x"]
    phi, z = encoded.phi[0].tolist(), encoded.before[0].tolist()
    logit = applied(model.classifier[-1], phi)
    entropy = math.log(1 + math.exp(logit[0] - logit[1]))
    told = applied(model.decoders["vector"], phi)
    error = sum((a - b) ** 2 for a, b in zip(told, z, strict=True)) / len(z)
    losses = model.item_loss(batch)
    total = sum(float(one.sum.detach()) / one.count for one in losses.values())
    assert total == pytest.approx(entropy + error, abs=1e-6)


def test_h10_identity_convolution_and_identity_decoder_reconstruct_exactly(volumes, make_batch):
    model = model_of(volumes, generate="last")
    hypernetwork = model.extractor.hypernetwork
    width = model.extractor.width
    with torch.no_grad():
        hypernetwork.kernels.weight.copy_(torch.eye(width).flatten()[:, None].expand(-1, 2))
        model.decoders["volume1"].weight.copy_(torch.eye(width))
        model.decoders["volume1"].bias.zero_()
    losses = model.item_loss(make_batch(volumes))
    assert float(losses["v0 reconstruction"].sum.detach()) == 0
    assert float(losses["v1 reconstruction"].sum.detach()) == 0


@generations
def test_h11_a_case_learns_from_its_own_items_alone(generate, volumes, make_sets):
    model = model_of(volumes, generate=generate)
    mine, other = make_sets(volumes)[-2:]
    batch = pack([mine, other], modalities=["v0", "v1"])
    batch.items["v0"].data.requires_grad_()
    model(batch)[0].sum().backward()
    reached = batch.items["v0"].data.grad.flatten(1).abs().sum(dim=1) > 0
    assert reached.tolist() == (batch.items["v0"].owner == 0).tolist()


@generations
def test_h12_swapped_identifiers_lower_the_training_accuracy(generate, train):
    modalities = (Modality("x0", "vector", (4,)), Modality("x1", "vector", (4,)))
    model = model_of(modalities, generate=generate)
    sets = []
    for number in range(80):
        sign = 2.0 * (number % 2) - 1
        items = {"x0": [noise(4) + sign], "x1": [noise(4) - sign]}
        sets.append(case_of(items, label=number % 2))
    batch = pack(sets, modalities=["x0", "x1"])
    for phase in model.phases(60):
        train(model, phase, batch, steps=phase.steps, rate=5e-3)
    swapped = Batch(
        batch.modalities,
        {"x0": batch.items["x1"], "x1": batch.items["x0"]},
        batch.label,
        batch.case,
        batch.subject,
    )
    right = [(model(one).argmax(dim=1) == batch.label).float().mean() for one in (batch, swapped)]
    assert right[0] > 0.9
    assert right[1] < right[0] - 0.3


@pytest.mark.parametrize(
    ("agg", "pooled"),
    [("modalities", lambda rows: rows.mean(0)), ("sum", lambda rows: rows.sum(0))],
)
def test_the_residual_head_starts_at_the_sum_of_phase_1_logits(agg, pooled, volumes, make_sets):
    model = HyperMM(Options(agg=agg), volumes, classes=2, standards={}).eval()
    model.prior.set([0, 1, 1, 1])
    one = next(one for one in make_sets(volumes) if len(one.items) == 2)
    batch = pack([one], modalities=["v0", "v1"])
    phi = model.features(batch)
    expected = sum(pooled(model.classifier(rows)) for rows in phi.values()) + model.prior.log
    torch.testing.assert_close(model(batch)[0], expected)


def test_a_generated_last_layer_is_the_paper_s_1x1_convolution(volumes):
    model = model_of(volumes, generate="last")
    maps = noise(2, model.extractor.width, 3, 2, 4)
    tensors = model.extractor.hypernetwork(["v0"])["v0"]
    kernel = tensors["weight"][:, :, None, None, None]
    convolved = functional.conv3d(maps, kernel, tensors["bias"]).flatten(2).mean(dim=2)
    pooled = functional.linear(maps.flatten(2).mean(dim=2), tensors["weight"], tensors["bias"])
    torch.testing.assert_close(convolved, pooled, atol=1e-5, rtol=1e-5)


def test_phase_1_is_validated_on_its_own_logits_where_the_head_is_fresh(volumes, make_batch):
    model = model_of(volumes, head="deep-sets", agg="mean")
    batch = make_batch(volumes)
    predict = model.phases(10)[0].predict
    one = batch.only(every_pattern(["v0"])[0])[0].select(torch.tensor([0]))
    expected = model.classifier(model.features(one)["v0"]).mean(dim=0)
    torch.testing.assert_close(predict(one)[0], expected)


def test_a_weight_of_zero_trains_no_decoder(volumes, make_batch):
    model = model_of(volumes, reconstruction=0)
    assert len(model.decoders) == 0
    assert set(model.item_loss(make_batch(volumes))) == {"v0 class", "v1 class"}


def test_generate_all_refuses_a_backbone_too_large_to_generate():
    with pytest.raises(ValidationError, match="generate: last"):
        Options(backbone=ResNet(kind="resnet", depth=10))


@heads
def test_without_pretraining_all_learns_together_from_the_set_prediction(
    head, volumes, make_batch, train
):
    model = model_of(volumes, pretrain=False, head=head)
    (phase,) = model.phases(7)
    assert (phase.name, phase.steps, phase.cache) == ("joint", 7, None)
    before = {name: one.clone() for name, one in model.named_parameters()}
    train(model, phase, make_batch(volumes), steps=3, rate=1e-2)
    moved = {
        name.split(".")[0]
        for name, one in model.named_parameters()
        if not torch.equal(one, before[name])
    }
    assert moved == {"extractor", "head"} | ({"classifier"} if head == "residual" else set())


def test_fine_tuning_needs_what_pretraining_trained():
    with pytest.raises(ValueError, match="drop pretrain: false"):
        Options(pretrain=False, joint=True)
