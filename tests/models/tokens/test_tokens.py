"""Token encoders: how many tokens, how wide, and what they are made of."""

from __future__ import annotations

import pytest
import torch

from mmmed.modality import Modality
from mmmed.models.backbones.backbone import Conv, DenseNet, ResNet, SwinUnetr
from mmmed.models.backbones.building import image_backbone
from mmmed.models.standard import Standard
from mmmed.models.tokens.building import token_encoder
from mmmed.models.tokens.encoder import Grid, Patches
from mmmed.models.tokens.grid import GridTokens
from mmmed.models.tokens.patches import PatchTokens

DEMO = Modality("mri", "volume", (1, 40, 48, 48))
WSI = Modality("x40", "image", (3, 30, 20))
CLINICAL = Modality("clinical", "vector", (7,))


@pytest.mark.parametrize(
    ("modality", "options", "count", "width"),
    [
        (DEMO, Grid(), 3 * 3 * 3, 64),
        (DEMO, Grid(most=2), 2 * 2 * 2, 64),
        (DEMO, Grid(backbone=Conv(widths=(4, 6))), 3 * 3 * 3, 6),
        (DEMO, Patches(kind="patches"), 5 * 6 * 6, 64),
        (WSI, Grid(), 2 * 2, 64),  # 30x20 -> 15x10 -> 8x5 -> 4x3 -> 2x2
        (WSI, Patches(kind="patches", size=16, width=5), 2 * 2, 5),
        (CLINICAL, Grid(), 4, 64),
        (CLINICAL, Patches(kind="patches", width=5), 4, 64),
    ],
)
def test_count_and_width_are_known_before_any_item(modality, options, count, width):
    encoder = token_encoder(modality, options, standards={}).eval()
    assert (encoder.count, encoder.width) == (count, width)
    assert encoder(torch.randn(2, *modality.shape)).shape == (2, count, width)


def test_the_mean_of_whole_grid_tokens_is_the_backbone_s_embedding():
    encoder = token_encoder(DEMO, Grid(), standards={}).eval()
    x = torch.randn(2, *DEMO.shape)
    torch.testing.assert_close(encoder(x).mean(dim=1), encoder.backbone(x))


def test_grid_tokens_are_cells_in_the_order_of_space():
    net = image_backbone(Conv(widths=(4,)), channels=1, dimensions=2).eval()
    encoder = GridTokens(net, (1, 4, 6), most=9)
    x = torch.randn(1, 1, 4, 6)
    cells = net.feature_map(x)  # (1, 4, 2, 3)
    assert encoder.cells == (2, 3)
    assert torch.equal(encoder(x)[0, 4], cells[0, :, 1, 1])


def test_a_patch_is_mapped_by_its_own_voxels_and_zeros_beyond_the_edge():
    encoder = PatchTokens((1, 3, 5), size=2, width=4)
    x = torch.randn(1, 1, 3, 5)
    weight, bias = encoder.project.weight.flatten(1), encoder.project.bias
    middle = x[0, 0, 0:2, 2:4].flatten()
    corner = torch.stack([x[0, 0, 2, 4], *torch.zeros(3)])
    torch.testing.assert_close(encoder(x)[0, 1], weight @ middle + bias)
    torch.testing.assert_close(encoder(x)[0, 5], weight @ corner + bias)


def test_a_vector_is_standardised_before_anything_reads_it():
    standards = {"clinical": Standard(torch.full((7,), 5.0), torch.full((7,), 2.0))}
    encoder = token_encoder(CLINICAL, Grid(), standards=standards)
    plain = token_encoder(CLINICAL, Grid(), standards={})
    plain.load_state_dict({**encoder.state_dict(), **_no_standard()})
    x = torch.randn(3, 7)
    torch.testing.assert_close(encoder(2 * x + 5), plain(x))


def test_gradients_reach_every_parameter(make_modalities):
    for kind in ("vector", "image", "volume"):
        for options in (Grid(), Patches(kind="patches")):
            (modality,) = make_modalities(kind, 1)
            encoder = token_encoder(modality, options, standards={}).train()
            encoder(torch.randn(3, *modality.shape)).square().sum().backward()
            assert all(one.grad is not None for one in encoder.parameters())


def test_building_draws_nothing_for_the_shape_and_leaves_the_statistics():
    torch.manual_seed(0)
    net = image_backbone(Conv(), channels=1, dimensions=3)
    drawn = torch.rand(1)
    torch.manual_seed(0)
    encoder = token_encoder(DEMO, Grid(), standards={})
    assert torch.equal(torch.rand(1), drawn)
    assert all(map(torch.equal, net.state_dict().values(), encoder.backbone.state_dict().values()))


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize(
    "options",
    [
        ResNet(kind="resnet", depth=10),
        DenseNet(kind="densenet"),
        SwinUnetr(kind="swin-unetr", feature_size=12),
    ],
    ids=lambda one: one.kind,
)
def test_monai_backbones_give_grid_tokens_whose_mean_they_pool(options):
    modality = Modality("v", "volume", (1, 64, 40, 32))
    encoder = token_encoder(modality, Grid(backbone=options, most=9), standards={}).eval()
    x = torch.randn(1, *modality.shape)
    with torch.no_grad():
        tokens = encoder(x)
        pooled = encoder.backbone(x)
    assert tokens.shape == (1, encoder.count, encoder.width)
    torch.testing.assert_close(tokens.mean(dim=1), pooled, atol=1e-5, rtol=1e-4)


def _no_standard():
    return {"entry.0.mean": torch.zeros(7), "entry.0.scale": torch.ones(7)}
