"""MONAI's encoders behind our signature, with weights from a local file."""

from __future__ import annotations

from typing import Any

from monai.networks.nets import densenet, efficientnet, resnet, swin_unetr
from torch import Tensor, nn

from mmmed.models.backbones.backbone import (
    DenseNet,
    EfficientNet,
    MapBackbone,
    ResNet,
    SwinUnetr,
)
from mmmed.models.backbones.conv import BatchNorm
from mmmed.models.backbones.weights import load_weights


class MonaiBackbone(MapBackbone):
    """A MONAI network behind our signature."""

    def __init__(self, network: nn.Module, *, width: int) -> None:
        super().__init__()
        self.network = _with_our_norms(network)
        self.width = width


def monai_backbone(
    options: ResNet | DenseNet | EfficientNet | SwinUnetr, *, channels: int, dimensions: int
) -> MapBackbone:
    """The encoder that the options name, with their weights where they name a file.

    Raises:
        StudyError: the weights cannot be read or do not fit.
    """
    if isinstance(options, ResNet):
        backbone: MonaiBackbone = _resnet(options, channels, dimensions)
    elif isinstance(options, DenseNet):
        backbone = _densenet(options, channels, dimensions)
    elif isinstance(options, EfficientNet):
        backbone = _efficientnet(options, channels, dimensions)
    else:
        backbone = _swin(options, channels, dimensions)
    if options.weights is not None:
        load_weights(backbone.network, options.weights)
    return backbone


def _resnet(options: ResNet, channels: int, dimensions: int) -> MonaiBackbone:
    build = {
        10: resnet.resnet10,
        18: resnet.resnet18,
        34: resnet.resnet34,
        50: resnet.resnet50,
    }[options.depth]
    as_torchvision = dimensions == 2
    network: Any = build(
        spatial_dims=dimensions,
        n_input_channels=channels,
        num_classes=2,
        feed_forward=False,
        conv1_t_stride=2 if as_torchvision else 1,
        bias_downsample=not as_torchvision,
    )
    return ResNetBackbone(network, width=network.in_planes)


def _densenet(options: DenseNet, channels: int, dimensions: int) -> MonaiBackbone:
    build = {121: densenet.densenet121, 169: densenet.densenet169}[options.depth]
    network: Any = build(spatial_dims=dimensions, in_channels=channels, out_channels=2)
    width = network.class_layers.out.in_features
    network.class_layers.out = nn.Identity()
    return DenseNetBackbone(network, width=width)


def _efficientnet(options: EfficientNet, channels: int, dimensions: int) -> MonaiBackbone:
    network: Any = efficientnet.EfficientNetBN(
        f"efficientnet-{options.size}",
        pretrained=False,
        spatial_dims=dimensions,
        in_channels=channels,
        num_classes=2,
    )
    width = network._fc.in_features  # noqa: SLF001 - all its layers are named so
    network._fc = nn.Identity()  # noqa: SLF001
    return EfficientNetBackbone(network, width=width)


def _swin(options: SwinUnetr, channels: int, dimensions: int) -> MonaiBackbone:
    network = swin_unetr.SwinTransformer(
        in_chans=channels,
        embed_dim=options.feature_size,
        window_size=(7,) * dimensions,
        patch_size=(2,) * dimensions,
        depths=(2, 2, 2, 2),
        num_heads=(3, 6, 12, 24),
        spatial_dims=dimensions,
    )
    return SwinBackbone(network, width=16 * options.feature_size)


class ResNetBackbone(MonaiBackbone):
    """A residual net; its map is that of the last of four stages."""

    def feature_map(self, x: Tensor) -> Tensor:
        """(n, C, *space) -> (n, E, *space / 32)."""
        for name in ("conv1", "bn1", "act", "maxpool", "layer1", "layer2", "layer3", "layer4"):
            x = self.network.get_submodule(name)(x)
        return x

    def forward(self, x: Tensor) -> Tensor:
        """(n, C, *space) -> (n, E), as the network itself pools."""
        embedded: Tensor = self.network(x)
        return embedded


class DenseNetBackbone(MonaiBackbone):
    """A densely connected net; its map is what its pooling reads."""

    def feature_map(self, x: Tensor) -> Tensor:
        """(n, C, *space) -> (n, E, *space / 32)."""
        for name in ("features", "class_layers.relu"):
            x = self.network.get_submodule(name)(x)
        return x

    def forward(self, x: Tensor) -> Tensor:
        """(n, C, *space) -> (n, E), as the network itself pools."""
        embedded: Tensor = self.network(x)
        return embedded


class EfficientNetBackbone(MonaiBackbone):
    """A net of inverted bottlenecks; its map is what its pooling reads."""

    def feature_map(self, x: Tensor) -> Tensor:
        """(n, C, *space) -> (n, E, *space / 32)."""
        for name in ("_conv_stem_padding", "_conv_stem", "_bn0", "_swish", "_blocks"):
            x = self.network.get_submodule(name)(x)
        for name in ("_conv_head_padding", "_conv_head", "_bn1", "_swish"):
            x = self.network.get_submodule(name)(x)
        return x


class SwinBackbone(MonaiBackbone):
    """The deepest map of a Swin transformer, averaged over space."""

    def feature_map(self, x: Tensor) -> Tensor:
        """(n, C, *space) -> (n, E, *space / 32)."""
        deepest: Tensor = self.network(x)[-1]
        return deepest


def _with_our_norms(network: nn.Module) -> nn.Module:
    """The network with our batch norm for torch's, which refuses one value per channel.

    A batch may hold one item of a modality, and a small image shrinks to one voxel.
    """
    for name, child in network.named_children():
        if isinstance(child, nn.BatchNorm2d | nn.BatchNorm3d):
            norm = BatchNorm(child.num_features, eps=child.eps, momentum=child.momentum)
            norm.load_state_dict(child.state_dict())
            setattr(network, name, norm)
        else:
            _with_our_norms(child)
    return network
