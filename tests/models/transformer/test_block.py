"""The block: against torch's own layer, and its second stream."""

from __future__ import annotations

import torch
from torch import nn

from mmmed.models.transformer.block import Block


def torch_layer(block: Block, width: int, heads: int) -> nn.TransformerEncoderLayer:
    """torch's pre-norm layer with the weights of a block."""
    layer = nn.TransformerEncoderLayer(
        width,
        heads,
        dim_feedforward=block.mlp.fc1.out_features,
        dropout=0.0,
        activation="gelu",
        layer_norm_eps=1e-6,
        batch_first=True,
        norm_first=True,
    )
    state = {
        "self_attn.in_proj_weight": block.attn.qkv.weight,
        "self_attn.in_proj_bias": block.attn.qkv.bias,
        "self_attn.out_proj.weight": block.attn.proj.weight,
        "self_attn.out_proj.bias": block.attn.proj.bias,
        "linear1.weight": block.mlp.fc1.weight,
        "linear1.bias": block.mlp.fc1.bias,
        "linear2.weight": block.mlp.fc2.weight,
        "linear2.bias": block.mlp.fc2.bias,
        **{
            f"{norm}.{kind}": getattr(getattr(block, norm), kind)
            for norm in ("norm1", "norm2")
            for kind in ("weight", "bias")
        },
    }
    layer.load_state_dict(state)
    return layer


def shaken(module: nn.Module) -> nn.Module:
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.3)
    return module.eval()


def test_a_block_is_torch_s_pre_norm_layer():
    block = shaken(Block(12, heads=3, ratio=4))
    layer = torch_layer(block, 12, 3)
    layer.train()  # the other path of torch's layer is fused, and rounds differently
    x = torch.randn(2, 5, 12)
    torch.testing.assert_close(block(x)[0], layer(x), atol=1e-5, rtol=1e-5)


def test_reading_one_s_own_keys_and_values_is_self_attention():
    block = shaken(Block(12, heads=3, ratio=4))
    x = torch.randn(2, 5, 12)
    out, seen = block(x)
    torch.testing.assert_close(block.read(x, seen), out, atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(block.keys_values(x).keys, seen.keys, atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(block.keys_values(x).values, seen.values, atol=1e-6, rtol=1e-6)
