"""MONAI's encoders behind the one signature, and weights from a local file."""

from __future__ import annotations

import re

import pytest
import torch
from monai.networks.nets.resnet import resnet10
from torch import nn

from mmmed.errors import StudyError
from mmmed.models.backbones.backbone import DenseNet, EfficientNet, ResNet, SwinUnetr
from mmmed.models.backbones.building import image_backbone
from mmmed.models.hypermm.model import HyperMM, Options

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

TINY = ResNet(kind="resnet", depth=10)


@pytest.mark.parametrize(
    ("options", "width"),
    [
        (TINY, 512),
        (DenseNet(kind="densenet"), 1024),
        (EfficientNet(kind="efficientnet"), 1280),
        (SwinUnetr(kind="swin-unetr", feature_size=12), 192),
    ],
    ids=lambda one: getattr(one, "kind", str(one)),
)
@pytest.mark.parametrize("dimensions", [2, 3])
def test_one_vector_per_item(options, width, dimensions):
    backbone = image_backbone(options, channels=1, dimensions=dimensions).eval()
    with torch.no_grad():
        embedded = backbone(torch.randn(2, 1, *[32] * dimensions))
    assert embedded.shape == (2, width)
    assert backbone.width == width


@pytest.mark.parametrize(
    "options",
    [TINY, DenseNet(kind="densenet"), EfficientNet(kind="efficientnet")],
    ids=lambda one: one.kind,
)
@pytest.mark.parametrize("dimensions", [2, 3])
def test_one_item_that_shrinks_to_one_voxel_can_be_trained_on(options, dimensions):
    backbone = image_backbone(options, channels=1, dimensions=dimensions).train()
    embedded = backbone(torch.randn(1, 1, *[32] * dimensions))
    embedded.sum().backward()
    assert torch.isfinite(embedded).all()
    assert all(torch.isfinite(one).all() for one in backbone.state_dict().values())


@pytest.mark.parametrize("dimensions", [2, 3])
def test_a_densenet_needs_the_size_that_it_states_and_no_more(dimensions):
    with torch.device("meta"):
        net = image_backbone(DenseNet(kind="densenet"), channels=1, dimensions=dimensions).eval()
        least = DenseNet.smallest
        assert net(torch.empty(1, 1, *[least] * dimensions)).shape == (1, 1024)
        with pytest.raises(RuntimeError, match="small"):
            net(torch.empty(1, 1, least - 1, *[64] * (dimensions - 1)))


@pytest.mark.parametrize("options", [TINY, SwinUnetr(kind="swin-unetr", feature_size=12)])
@pytest.mark.parametrize("dimensions", [2, 3])
def test_the_other_backbones_take_items_of_two_voxels(options, dimensions):
    net = image_backbone(options, channels=1, dimensions=dimensions).eval()
    with torch.no_grad():
        assert net(torch.randn(1, 1, *[2] * dimensions)).shape == (1, net.width)


def test_several_items_are_normalised_as_monai_does():
    torch.manual_seed(0)
    own = image_backbone(TINY, channels=1, dimensions=3).train()
    torch.manual_seed(0)
    theirs = resnet10(spatial_dims=3, n_input_channels=1, num_classes=2, feed_forward=False).train()
    items = torch.randn(3, 1, 32, 32, 32)
    assert torch.equal(own(items), theirs(items))
    assert torch.equal(own.network.bn1.running_mean, theirs.bn1.running_mean)
    assert not any(isinstance(one, nn.BatchNorm3d) for one in own.modules())


def with_weights(path):
    return image_backbone(TINY.model_copy(update={"weights": path}), channels=1, dimensions=3)


def test_weights_come_from_a_local_file_whatever_its_prefix(tmp_path):
    source = image_backbone(TINY, channels=1, dimensions=3)
    state = {f"module.{name}": value for name, value in source.network.state_dict().items()}
    torch.save(
        {"state_dict": {**state, "module.fc.weight": torch.zeros(2, 512)}}, tmp_path / "w.pt"
    )
    loaded = with_weights(tmp_path / "w.pt")
    assert all(
        torch.equal(mine, theirs)
        for mine, theirs in zip(
            loaded.state_dict().values(), source.state_dict().values(), strict=True
        )
    )


def test_an_absent_file_of_weights_is_named(tmp_path):
    with pytest.raises(StudyError, match=r"w\.pt: no such file; nothing is downloaded"):
        with_weights(tmp_path / "w.pt")


def test_a_file_that_holds_no_plain_tensors_is_refused(tmp_path):
    (tmp_path / "w.pt").write_text("<html>not found</html>")
    with pytest.raises(StudyError, match="not a file of plain tensors"):
        with_weights(tmp_path / "w.pt")


def test_a_pickled_object_is_refused_unopened(tmp_path):
    torch.save({"state_dict": object()}, tmp_path / "w.pt")
    with pytest.raises(StudyError, match="not a file of plain tensors"):
        with_weights(tmp_path / "w.pt")


def test_weights_of_another_depth_are_refused_by_the_first_misfit(tmp_path):
    other = image_backbone(ResNet(kind="resnet", depth=18), channels=2, dimensions=3)
    torch.save(other.network.state_dict(), tmp_path / "w.pt")
    with pytest.raises(StudyError, match=r"conv1\.weight has shape"):
        with_weights(tmp_path / "w.pt")
    torch.save({"other.weight": torch.zeros(1)}, tmp_path / "w.pt")
    with pytest.raises(StudyError, match="is missing; is it a file of this backbone"):
        with_weights(tmp_path / "w.pt")


def saved(path, state):
    torch.save(state, path)
    return path


def colour(options, path):
    return image_backbone(options.model_copy(update={"weights": path}), channels=3, dimensions=2)


def published(name):
    """A layer as files call it: torchvision's older ones `denselayer1.norm.1.weight`, those of
    EfficientNet-PyTorch `_blocks.4._bn1.weight`."""
    dense = re.sub(r"\.layers\.(norm|conv)([12])", r".\1.\2", name)
    return re.sub(r"_blocks\.\d+\.(\d+)\.", r"_blocks.\1.", dense)


@pytest.mark.parametrize(
    "options",
    [TINY, DenseNet(kind="densenet"), EfficientNet(kind="efficientnet")],
    ids=lambda one: one.kind,
)
def test_a_published_file_of_imagenet_weights_fits_a_net_for_images(options, tmp_path):
    torch.manual_seed(1)
    source = image_backbone(options, channels=3, dimensions=2)
    state = {
        published(name): value
        for name, value in source.network.state_dict().items()
        if "num_batches_tracked" not in name
    }
    head = {"fc.weight": torch.zeros(1000, source.width), "_fc.bias": torch.zeros(1000)}
    file = saved(tmp_path / "w.pth", {**state, **head})
    torch.manual_seed(2)
    loaded = colour(options, file).state_dict()
    assert all(torch.equal(loaded[name], value) for name, value in source.state_dict().items())


RESNET18 = {
    "conv1.weight": (64, 3, 7, 7),
    "layer1.1.conv2.weight": (64, 64, 3, 3),
    "layer2.0.downsample.0.weight": (128, 64, 1, 1),
    "layer2.0.downsample.1.running_var": (128,),
    "layer4.1.bn2.weight": (512,),
}
"""Some tensors of torchvision's ResNet-18; it has 100 besides the head and the counters."""


def test_a_resnet_for_images_is_laid_out_as_torchvision_s():
    net = image_backbone(ResNet(kind="resnet", depth=18), channels=3, dimensions=2)
    own = {
        name: tuple(value.shape)
        for name, value in net.network.state_dict().items()
        if "num_batches_tracked" not in name
    }
    assert len(own) == 100
    assert {name: own[name] for name in RESNET18} == RESNET18
    with torch.no_grad():
        assert net.feature_map(torch.zeros(1, 3, 64, 64)).shape == (1, 512, 2, 2)


EFFICIENTNET_B0 = {
    "_conv_stem.weight": (32, 3, 3, 3),
    "_blocks.0._depthwise_conv.weight": (32, 1, 3, 3),
    "_blocks.0._se_reduce.bias": (8,),
    "_blocks.1._expand_conv.weight": (96, 16, 1, 1),
    "_blocks.15._se_expand.weight": (1152, 48, 1, 1),
    "_blocks.15._project_conv.weight": (320, 1152, 1, 1),
    "_conv_head.weight": (1280, 320, 1, 1),
    "_bn1.running_var": (1280,),
}
"""Some tensors of EfficientNet-PyTorch's efficientnet-b0."""


def test_an_efficientnet_has_the_tensors_of_efficientnet_pytorch():
    net = image_backbone(EfficientNet(kind="efficientnet"), channels=3, dimensions=2)
    own = {published(name): tuple(one.shape) for name, one in net.network.state_dict().items()}
    assert {name: own[name] for name in EFFICIENTNET_B0} == EFFICIENTNET_B0


def test_hypermm_keeps_a_monai_backbone_s_statistics_by_modality(make_modalities):
    modalities = make_modalities("image", 2)
    options = Options(backbone=TINY, generate="last")
    model = HyperMM(options, modalities, classes=2, standards={}).train()
    model.extractor({"i0": torch.randn(3, 1, 32, 32)})
    statistics = model.extractor.statistics
    assert statistics["i0"].of()["network.bn1.running_mean"].abs().sum() > 0
    assert statistics["i1"].of()["network.bn1.running_mean"].abs().sum() == 0
