"""Local vision transformers in timm's names: what is translated, and what is refused."""

from __future__ import annotations

import pytest
import torch

from mmmed.errors import StudyError
from mmmed.modality import Modality
from mmmed.models.tokens.encoder import Patches
from mmmed.models.transformer.encoder import EncoderOptions, TransformerEncoder
from mmmed.models.transformer.weights import load_encoder

GREY, COLOUR = (Modality("i", "image", (channels, 16, 8)) for channels in (1, 3))
OPTIONS = EncoderOptions(
    tokens=Patches(kind="patches", size=8, width=12), depth=2, heads=3, pool="class"
)


def encoder_of(modality) -> TransformerEncoder:
    encoder = TransformerEncoder(modality, OPTIONS, standards={})
    for parameter in encoder.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return encoder.eval()


@pytest.fixture
def published():
    """A state dict as timm names it, with a head, and the encoder it is of."""
    encoder = encoder_of(COLOUR)
    state = {
        name.replace("patch_embed.project", "patch_embed.proj"): one.clone()
        for name, one in encoder.state_dict().items()
    }
    return {**state, "head.weight": torch.zeros(5, 12)}, encoder


def saved(state, tmp_path, **envelope):
    path = tmp_path / "vit.pth"
    torch.save({"model": state} if envelope.get("model") else state, path)
    return path


def test_the_names_are_those_of_timm_s_vision_transformers(published):
    state, _ = published
    in_block = [
        f"{layer}.{kind}"
        for layer in ("norm1", "attn.qkv", "attn.proj", "norm2", "mlp.fc1", "mlp.fc2")
        for kind in ("weight", "bias")
    ]
    assert set(state) == {
        "cls_token",
        "pos_embed",
        "patch_embed.proj.weight",
        "patch_embed.proj.bias",
        *(f"blocks.{number}.{name}" for number in (0, 1) for name in in_block),
        "norm.weight",
        "norm.bias",
        "head.weight",
    }


@pytest.mark.parametrize("model", [True, False])
def test_a_file_makes_the_same_encoder(model, published, tmp_path):
    state, source = published
    encoder = encoder_of(COLOUR)
    load_encoder(encoder, saved(state, tmp_path, model=model))
    images = torch.randn(2, 3, 16, 8)
    assert torch.equal(encoder(images), source(images))


def test_scales_of_residual_branches_are_multiplied_in(published, tmp_path):
    state, source = published
    scales = {f"blocks.{n}.ls{m}.gamma": torch.rand(12) + 0.5 for n in (0, 1) for m in (1, 2)}
    encoder = encoder_of(COLOUR)
    load_encoder(encoder, saved({**state, **scales}, tmp_path))
    x = source.place(torch.randn(2, 2, 12))
    expected = x
    for number, block in enumerate(source.layers()):
        first, second = (scales[f"blocks.{number}.ls{m}.gamma"] for m in (1, 2))
        expected = expected + first * block.attn(block.norm1(expected))[0]
        expected = expected + second * block.mlp(block.norm2(expected))
    found = x
    for block in encoder.layers():
        found = block(found)[0]
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_positions_without_a_place_for_the_class_token_get_zeros_there(published, tmp_path):
    state, _ = published
    encoder = encoder_of(COLOUR)
    whole = state["pos_embed"]
    load_encoder(encoder, saved({**state, "pos_embed": whole[:, 1:]}, tmp_path))
    assert torch.equal(encoder.pos_embed[:, 1:], whole[:, 1:])
    assert (encoder.pos_embed[:, 0] == 0).all()


def test_a_kernel_for_colours_reads_a_grey_image_as_three_equal_channels(published, tmp_path):
    state, source = published
    encoder = encoder_of(GREY)
    load_encoder(encoder, saved(state, tmp_path))
    grey = torch.randn(2, 1, 16, 8)
    torch.testing.assert_close(
        encoder(grey), source(grey.expand(-1, 3, -1, -1)), atol=1e-5, rtol=1e-5
    )


def test_a_missing_or_misshapen_tensor_is_named(published, tmp_path):
    state, _ = published
    lacking = {name: one for name, one in state.items() if name != "norm.weight"}
    with pytest.raises(StudyError, match=r"vit.pth: norm.weight is missing"):
        load_encoder(encoder_of(COLOUR), saved(lacking, tmp_path))
    long = {**state, "pos_embed": torch.zeros(1, 9, 12)}
    with pytest.raises(StudyError, match=r"pos_embed has shape \(1, 9, 12\)"):
        load_encoder(encoder_of(COLOUR), saved(long, tmp_path))


def test_a_file_of_something_else_is_refused(tmp_path):
    path = tmp_path / "vit.pth"
    torch.save([1, 2], path)
    with pytest.raises(StudyError, match="holds no state dict"):
        load_encoder(encoder_of(COLOUR), path)
