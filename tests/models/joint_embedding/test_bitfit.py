"""Which parameters of an encoder BitFit trains."""

from __future__ import annotations

import pytest
import torch

from mmmed.modality import Modality
from mmmed.models.joint_embedding.bitfit import bias_names, biases
from mmmed.models.tokens.encoder import Patches
from mmmed.models.transformer.encoder import EncoderOptions, TransformerEncoder

COLOUR = Modality("photo", "image", (3, 224, 224))
VIT_B_16 = EncoderOptions(
    tokens=Patches(kind="patches", size=16, width=768), depth=12, heads=12, pool="class"
)


def test_r5_a_vit_b_16_has_102_912_biases():
    with torch.device("meta"):
        encoder = TransformerEncoder(COLOUR, VIT_B_16, standards={})
    in_block = 768 + 3 * 768 + 768 + 768 + 4 * 768 + 768  # norm1, qkv, proj, norm2, fc1, fc2
    assert 12 * in_block + 768 + 768 == 102_912  # and the patch embedding, and the last norm
    assert sum(one.numel() for one in biases(encoder)) == 102_912


def test_r5_the_vit_b_16_is_of_the_published_size():
    with torch.device("meta"):
        encoder = TransformerEncoder(COLOUR, VIT_B_16, standards={})
    assert sum(one.numel() for one in encoder.parameters()) == 85_798_656


@pytest.mark.parametrize(
    "modality", [Modality("v", "volume", (1, 9, 8, 10)), Modality("x", "vector", (5,))]
)
def test_a_stem_is_frozen_with_the_biases_it_has(modality):
    encoder = TransformerEncoder(modality, EncoderOptions(), standards={})
    in_stem = [name for name, _ in encoder.named_parameters() if name.startswith("patch_embed.")]
    assert any(name.endswith(".bias") for name in in_stem)
    assert not set(in_stem) & set(bias_names(encoder))


def test_a_table_of_relative_position_biases_is_no_bias():
    encoder = TransformerEncoder(Modality("x", "vector", (5,)), EncoderOptions(), standards={})
    encoder.register_parameter(
        "relative_position_bias_table", torch.nn.Parameter(torch.zeros(3, 3))
    )
    assert "relative_position_bias_table" not in bias_names(encoder)
