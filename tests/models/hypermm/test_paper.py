"""HyperMM as published: H6 (sizes), H7 (the frozen VGG11), H8 (slice order), and its loss."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from mmmed.batch import Batch, Items, ModalitySet, pack
from mmmed.errors import PresenceError, StudyError
from mmmed.modality import Modality, Pattern, every_pattern
from mmmed.models.backbones.vgg import MEAN, SCALE
from mmmed.models.building import without_weights
from mmmed.models.hypermm.paper import HyperMMPaper, Options

CONVOLUTIONS = {0: (3, 64), 3: (64, 128), 6: (128, 256), 8: (256, 256)}
CONVOLUTIONS |= {11: (256, 512), 13: (512, 512), 16: (512, 512), 18: (512, 512)}
"""Place in torchvision's `features` -> channels, of VGG11."""

POOLED = (0, 3, 8, 13, 18)
"""The convolutions that a max-pool follows."""

SAME = 1e-5
"""float32 sums in another order."""


def model_of(modalities, **chosen) -> HyperMMPaper:
    chosen = {"weights": "random", "size": 32, **chosen}
    return HyperMMPaper(Options(**chosen), modalities, classes=2, standards={}).eval()


def case_of(items, *, label=0) -> ModalitySet:
    return ModalitySet(case="a", subject="a", items=items, label=label)


def published(folder):
    """A file with the tensors of torchvision's VGG11, and those tensors."""
    state = {}
    for place, (enter, leave) in CONVOLUTIONS.items():
        state[f"features.{place}.weight"] = torch.randn(leave, enter, 3, 3) / math.sqrt(9 * enter)
        state[f"features.{place}.bias"] = 0.1 * torch.randn(leave)
    for place in (0, 3, 6):
        state[f"classifier.{place}.weight"] = torch.zeros(4, 4)
        state[f"classifier.{place}.bias"] = torch.zeros(4)
    torch.save(state, folder / "vgg11.pth")
    return folder / "vgg11.pth", state


def mapped(picture: torch.Tensor, state) -> torch.Tensor:
    """VGG11's last map of a picture (3, H, W) in 0..1, layer by layer."""
    x = torch.stack([(one - m) / s for one, m, s in zip(picture, MEAN, SCALE, strict=True)])[None]
    for place in CONVOLUTIONS:
        weight, bias = state[f"features.{place}.weight"], state[f"features.{place}.bias"]
        x = functional.relu(functional.conv2d(x, weight, bias, padding=1))
        if place in POOLED:
            x = functional.max_pool2d(x, 2)
    return x[0]


@pytest.fixture
def volumes(make_modalities):
    return make_modalities("volume", 2)


def test_h6_sizes_are_the_paper_s(parameters_trained):
    modalities = tuple(Modality(name, "volume", (1, 8, 8, 8)) for name in ("mri", "pet"))
    model = HyperMMPaper(Options(), modalities, classes=2, standards={})
    assert model.convolution.embedding.weight.shape == (2, 5)
    sizes = {
        name: tuple(one.shape) for name, one in model.convolution.hypernetwork.state_dict().items()
    }
    assert sizes == {
        "0.weight": (20, 5),
        "0.bias": (20,),
        "2.weight": (262_656, 20),
        "2.bias": (262_656,),
    }
    assert sum(math.prod(shape) for shape in sizes.values()) == 5_515_896
    kernel, bias = model.convolution.generated("pet")
    assert (kernel.shape, bias.shape) == ((512, 512, 1, 1), (512,))
    assert model.rho[0].in_features == model.classifier[0].in_features == 25_088
    assert model.decoder.weight.shape == (512, 512, 1, 1)
    assert parameters_trained(model) == 2 * 5 + 5_515_896 + 262_656 + 2 * 12_846_594


def test_h6_one_embedding_per_modality_and_none_for_another(make_modalities, make_batch):
    model = model_of(make_modalities("image", 3))
    assert len(model.convolution.embedding.weight) == 3
    with pytest.raises(PresenceError, match="'i3' was never seen in training"):
        model(make_batch(make_modalities("image", 4)))


def test_h5_z_is_equal_and_phi_differs_by_modality(volumes):
    model = model_of(volumes)
    data = torch.randn(2, *volumes[0].shape)
    owner = torch.tensor([0, 1])
    items = {"v0": Items(data, owner), "v1": Items(data, owner)}
    z = model.extract(Batch(("v0", "v1"), items, None, ("a", "b"), ("a", "b")))
    assert torch.equal(z.items["v0"].data, z.items["v1"].data)
    phi = model.convolution({name: one.data for name, one in z.items.items()})
    assert not torch.allclose(phi["v0"], phi["v1"], atol=1e-3)
    assert torch.equal(model.convolution({"v0": z.items["v0"].data})["v0"], phi["v0"])


def test_h7_vgg_is_bit_identical_after_both_phases(volumes, make_batch, train):
    model = model_of(volumes)
    before = {name: value.clone() for name, value in model.vgg.state_dict().items()}
    for phase in model.phases(4):
        train(model, phase, make_batch(volumes), steps=3, rate=1e-2)
        frozen = {id(one) for one in model.vgg.parameters()}
        assert not any(id(one) in frozen for turn in phase.turns for one in turn.parameters)
    assert all(torch.equal(value, before[name]) for name, value in model.vgg.state_dict().items())
    assert all(one.grad is None for one in model.vgg.parameters())


def test_h7_the_set_phase_moves_rho_alone(volumes, make_batch, train):
    model = model_of(volumes)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    train(model, model.phases(4)[1], make_batch(volumes), steps=3, rate=1e-2)
    moved = {
        name.split(".")[0]
        for name, value in model.state_dict().items()
        if not torch.equal(value, before[name])
    }
    assert moved == {"rho"}
    rest = [one for name, one in model.named_parameters() if not name.startswith("rho.")]
    assert all(one.grad is None for one in rest)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_h8_z_has_the_same_bits_whatever_the_order_and_number_of_slices(axis, volumes):
    model = model_of(volumes, axis=axis)
    volume = torch.randn(volumes[0].shape)
    z = model._z(volume)
    slices = volume.shape[1 + axis]
    turned = volume.index_select(1 + axis, torch.randperm(slices))
    assert torch.equal(model._z(turned), z)
    repeated = volume.index_select(1 + axis, torch.arange(2 * slices) // 2)
    assert torch.equal(model._z(repeated), z)
    fewer = volume.index_select(1 + axis, torch.arange(slices // 2))
    assert not torch.equal(model._z(fewer), z)


def test_z_is_the_maximum_over_the_slices_of_vgg_s_map(tmp_path):
    file, state = published(tmp_path)
    model = model_of((Modality("mri", "volume", (1, 32, 32, 3)),), weights=file)
    volume = torch.rand(1, 32, 32, 3)
    volume[0, 0, 0, :2] = torch.tensor([0.0, 1.0])  # the least and the greatest value
    by_hand = [mapped(volume[0, :, :, place].expand(3, 32, 32), state) for place in range(3)]
    expected = torch.stack(by_hand).amax(dim=0)
    torch.testing.assert_close(model._z(volume), expected, atol=SAME, rtol=SAME)


def test_torchvision_s_file_is_loaded_and_its_classifier_ignored(tmp_path):
    file, state = published(tmp_path)
    model = model_of((Modality("mri", "volume", (1, 4, 4, 4)),), weights=file)
    own = model.vgg.state_dict()
    assert set(own) == {name for name in state if name.startswith("features.")}
    assert all(torch.equal(value, state[name]) for name, value in own.items())


def test_a_file_of_another_network_is_refused_by_its_first_misfit(tmp_path, volumes):
    torch.save({"features.0.weight": torch.zeros(64, 3, 3, 3)}, tmp_path / "w.pth")
    with pytest.raises(StudyError, match=r"features\.0\.bias is missing"):
        model_of(volumes, weights=tmp_path / "w.pth")


def test_h10_the_phase_1_loss_is_cross_entropy_plus_squared_error():
    model = model_of((Modality("x", "image", (1, 8, 8)),))
    batch = model.extract(pack([case_of({"x": [torch.rand(1, 8, 8)]}, label=1)], modalities=["x"]))
    z = batch.items["x"].data[0, :, 0, 0].double()  # one place of the map: 512 entries
    kernel, bias = (one.detach().double() for one in model.convolution.generated("x"))
    phi = kernel[:, :, 0, 0] @ z + bias
    first, last = (model.classifier[at].double() for at in (0, 2))
    logit = last(functional.relu(first(phi)))
    entropy = float(torch.log(1 + torch.exp(logit[0] - logit[1])).detach())
    told = model.decoder.weight.detach().double()[:, :, 0, 0].T @ phi + model.decoder.bias.double()
    error = float(((told - z) ** 2).sum().detach()) / 512
    model.float()
    losses = model.item_loss(batch)
    total = sum(float(one.sum.detach()) / one.count for one in losses.values())
    assert total == pytest.approx(entropy + error, rel=1e-5)


def test_h10_identity_convolution_and_identity_decoder_reconstruct_exactly(volumes, make_batch):
    model = model_of(volumes)
    last = model.convolution.hypernetwork[2]
    with torch.no_grad():
        last.weight.zero_()
        last.bias.copy_(torch.cat([torch.eye(512).flatten(), torch.zeros(512)]))
        model.decoder.weight.copy_(torch.eye(512)[:, :, None, None])
        model.decoder.bias.zero_()
    losses = model.item_loss(model.extract(make_batch(volumes)))
    assert float(losses["v0 reconstruction"].sum.detach()) == 0
    assert float(losses["v1 reconstruction"].sum.detach()) == 0


def test_h4_one_element_is_rho_of_phi_and_every_subset_runs(volumes, make_batch):
    model = model_of(volumes)
    single = pack([case_of({"v0": [torch.randn(volumes[0].shape)]})], modalities=["v0", "v1"])
    phi = model.embed(single).items["v0"].data
    torch.testing.assert_close(model(single), model.rho(phi))
    full = make_batch(volumes)
    assert all(len(model(full.only(one)[0])) for one in every_pattern(["v0", "v1"]))


def test_the_default_aggregation_is_the_mean(volumes):
    volume = torch.randn(volumes[0].shape)
    once = pack([case_of({"v0": [volume]})], modalities=["v0", "v1"])
    twice = pack([case_of({"v0": [volume, volume]})], modalities=["v0", "v1"])
    model = model_of(volumes)
    torch.testing.assert_close(model(once), model(twice), atol=SAME, rtol=SAME)
    model = model_of(volumes, agg="sum")
    assert not torch.allclose(model(once), model(twice), atol=1e-2)


def test_images_are_set_elements_of_their_own(make_modalities):
    model = model_of(
        (Modality("x40", "image", (3, 40, 36)), Modality("x100", "image", (3, 40, 36)))
    )
    tiles = [torch.rand(3, 40, 36) for _ in range(3)]
    batch = pack([case_of({"x40": tiles[:2], "x100": tiles[2:]})], modalities=["x40", "x100"])
    assert model.features(batch)["x40"].shape == (2, 512)
    turned = pack([case_of({"x40": tiles[1::-1], "x100": tiles[2:]})], modalities=["x40", "x100"])
    torch.testing.assert_close(model(batch), model(turned), atol=SAME, rtol=0)


def test_vectors_are_refused_in_one_line(make_modalities):
    with pytest.raises(StudyError, match="x0 is a vector; leave it out of the study") as told:
        model_of(make_modalities("vector", 2))
    assert "\n" not in str(told.value)


def test_two_channels_are_refused_in_one_line():
    with pytest.raises(StudyError, match="one or three channels, and mri has 2"):
        model_of((Modality("mri", "volume", (2, 4, 4, 4)),))


def test_without_weights_nothing_is_trained(volumes):
    shown = [Pattern.of(["v0"])]
    model = model_of(volumes, weights=None)
    with pytest.raises(StudyError, match=r"vgg11-8a719046\.pth, or weights: random") as told:
        model.require_teachable(shown)
    assert "\n" not in str(told.value)
    model_of(volumes).require_teachable(shown)


def test_random_weights_stand_in_the_name_once():
    assert Options().name == "hypermm-paper"
    assert Options(weights="file.pth").name == "hypermm-paper"
    untrained = Options(weights="random")
    assert untrained.name == "hypermm-paper-untrained-extractor"
    assert Options(**untrained.model_dump(mode="json")) == untrained
    assert Options(weights="random", name="vgg").name == "vgg-untrained-extractor"


def test_a_package_names_no_file_and_says_that_an_extractor_was_untrained(tmp_path):
    assert without_weights(Options(weights=tmp_path / "w.pth")).weights is None
    random = Options(weights="random")
    assert without_weights(random) is random


def test_without_pretraining_convolution_and_rho_learn_together(volumes, make_batch, train):
    model = model_of(volumes, pretrain=False)
    (phase,) = model.phases(7)
    assert (phase.name, phase.steps) == ("joint", 7)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    train(model, phase, make_batch(volumes), steps=3, rate=1e-2)
    moved = {
        name.split(".")[0]
        for name, value in model.state_dict().items()
        if not torch.equal(value, before[name])
    }
    assert moved == {"convolution", "rho"}


def test_phase_1_is_validated_on_its_own_logits(volumes, make_batch):
    model = model_of(volumes)
    one = make_batch(volumes).only(Pattern.of(["v0"]))[0].select(torch.tensor([0]))
    expected = model.classifier(model.embed(one).items["v0"].data).mean(dim=0)
    torch.testing.assert_close(model.phases(10)[0].predict(one)[0], expected)
