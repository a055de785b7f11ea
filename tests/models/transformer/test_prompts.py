"""R1, R3, R4: prompts beside an encoder, in two streams and by a mask."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from mmmed.modality import Modality
from mmmed.models.tokens.encoder import Patches
from mmmed.models.transformer.encoder import EncoderOptions, TransformerEncoder
from mmmed.models.transformer.prompts import Prompts

SAME = 1e-5
IMAGE = Modality("i", "image", (1, 16, 12))
TOKENS = Patches(kind="patches", size=4, width=24)


@pytest.fixture
def encoder() -> TransformerEncoder:
    encoder = TransformerEncoder(
        IMAGE, EncoderOptions(tokens=TOKENS, depth=3, heads=2, pool="class"), standards={}
    )
    for parameter in encoder.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return encoder.eval()


@pytest.fixture
def tokens() -> Tensor:
    return torch.randn(5, 12, 24)


def prompts_of(kind, length=6) -> Prompts:
    torch.manual_seed(2)
    prompts = Prompts(kind, length=length, width=24)
    torch.nn.init.normal_(prompts.offset)
    return prompts


def mask(tokens: int, prompts: int) -> Tensor:
    """Additive (N + L, N + L): nobody sees the last L."""
    made = torch.zeros(tokens + prompts, tokens + prompts)
    made[:, tokens:] = -torch.inf
    return made


def masked(encoder, prompts, tokens) -> tuple[list[Tensor], Tensor]:
    """The concatenate-and-mask form: tokens after every layer, and the prompts' outputs."""
    start = (encoder.cls_token + prompts.offset).expand(len(tokens), -1, -1)
    x = torch.cat([encoder.place(tokens), start], dim=1)
    count = 1 + tokens.shape[1]
    hidden = mask(count, start.shape[1])
    layers = []
    for block in encoder.layers():
        normed = block.norm1(x)
        parts = [
            part.view(*part.shape[:2], block.attn.heads, -1).transpose(1, 2)
            for part in block.attn.qkv(normed).chunk(3, dim=2)
        ]
        read = functional.scaled_dot_product_attention(*parts, attn_mask=hidden)
        x = x + block.attn.proj(read.transpose(1, 2).flatten(2))
        x = x + block.mlp(block.norm2(x))
        layers.append(x[:, :count])
    return layers, encoder.norm(x[:, count:])


def token_streams(encoder, run) -> list[Tensor]:
    """What every block gives for the items' tokens while `run` runs."""
    seen = []
    hooks = [
        block.register_forward_hook(lambda _, __, out: seen.append(out[0]))
        for block in encoder.blocks
    ]
    run()
    for hook in hooks:
        hook.remove()
    return seen


@pytest.mark.parametrize("kind", ["read-only", "mutual"])
@pytest.mark.parametrize("length", [1, 6, 16])
def test_r1_tokens_are_those_of_the_prompt_free_encoder_to_the_last_bit(
    kind, length, encoder, tokens
):
    prompts = prompts_of(kind, length)
    with_prompts = token_streams(encoder, lambda: prompts(encoder, tokens))
    images = torch.randn(5, 1, 16, 12)
    encoder.patch_embed.forward = lambda _: tokens
    without = token_streams(encoder, lambda: encoder(images))
    assert len(with_prompts) == len(without) == 3
    assert all(torch.equal(a, b) for a, b in zip(with_prompts, without, strict=True))
    assert torch.equal(prompts(encoder, tokens).embedding, encoder(images))


def test_r1_concatenating_and_masking_computes_the_same(encoder, tokens):
    prompts = prompts_of("read-only")
    layers, outputs = masked(encoder, prompts, tokens)
    streams = token_streams(encoder, lambda: prompts(encoder, tokens))
    for one, other in zip(layers, streams, strict=True):
        torch.testing.assert_close(one, other, atol=SAME, rtol=SAME)
    torch.testing.assert_close(prompts(encoder, tokens).prompts, outputs, atol=SAME, rtol=SAME)


def test_ordinary_prompts_change_the_tokens(encoder, tokens):
    one, other = prompts_of("ordinary"), prompts_of("ordinary", length=3)
    before = one(encoder, tokens).embedding
    assert not torch.allclose(before, other(encoder, tokens).embedding, atol=1e-3)


def test_r3_prompts_read_the_item(encoder, tokens):
    prompts = prompts_of("read-only")
    changed = tokens.clone()
    changed[:, 4] = torch.randn(24)
    before, after = (prompts(encoder, one).prompts for one in (tokens, changed))
    assert ((before - after).abs().amax(dim=2) > 1e-3).all()


def test_r3_permuting_prompts_permutes_their_outputs(encoder, tokens):
    prompts = prompts_of("read-only")
    before = prompts(encoder, tokens).prompts
    order = torch.tensor([2, 0, 5, 1, 4, 3])
    with torch.no_grad():
        prompts.offset.copy_(prompts.offset[:, order])
    after = prompts(encoder, tokens).prompts
    torch.testing.assert_close(after, before[:, order], atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize(("kind", "alone"), [("read-only", True), ("mutual", False)])
def test_r3_removing_a_prompt_leaves_the_others_where_none_sees_another(
    kind, alone, encoder, tokens
):
    prompts = prompts_of(kind)
    before = prompts(encoder, tokens).prompts[:, :5]
    prompts.offset = torch.nn.Parameter(prompts.offset[:, :5])
    after = prompts(encoder, tokens).prompts
    assert torch.allclose(before, after, atol=1e-6) is alone


def test_r4_the_mask_hides_the_prompts_from_everyone_and_nothing_else():
    made = mask(13, 6)
    assert made.shape == (19, 19)
    assert (made[:, 13:] == -torch.inf).all()
    assert torch.isfinite(made[:, :13]).all()


def test_fresh_prompts_lie_a_tenth_from_the_class_token():
    prompts = Prompts("read-only", length=6, width=24)
    torch.testing.assert_close(prompts.offset.norm(dim=2), torch.full((1, 6), 0.1))
    assert len(torch.unique(prompts.offset[0], dim=0)) == 6
