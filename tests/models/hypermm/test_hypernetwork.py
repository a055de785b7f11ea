"""How generated tensors start, and that each modality has its own."""

from __future__ import annotations

import math

import pytest
import torch

from mmmed.models.backbones.conv import ConvNet
from mmmed.models.hypermm.hypernetwork import Hypernetwork


@pytest.fixture
def like() -> dict[str, torch.Tensor]:
    return dict(ConvNet((8, 16, 32, 64), channels=1, dimensions=3).named_parameters())


def test_generated_tensors_have_the_shapes_asked_for(like):
    generated = Hypernetwork(["a", "b"], like)(["b", "a"])
    assert list(generated) == ["b", "a"]
    for tensors in generated.values():
        assert {name: one.shape for name, one in tensors.items()} == {
            name: one.shape for name, one in like.items()
        }


def test_every_generated_kernel_starts_with_he_variance(like):
    kernels = [name for name, one in like.items() if one.ndim > 1]
    for seed in range(3):
        torch.manual_seed(seed)
        for tensors in Hypernetwork(["a", "b"], like)(["a", "b"]).values():
            for name in kernels:
                entries = tensors[name].numel()
                asked = 2 / like[name][0].numel()
                error = math.sqrt(2 / entries)
                assert tensors[name].var().item() == pytest.approx(asked, rel=5 * error)


def test_scales_start_at_one_and_shifts_at_zero_for_every_modality(like):
    generated = Hypernetwork(["a", "b"], like)(["a", "b"])
    for tensors in generated.values():
        assert (tensors["norms.0.weight"] == 1).all()
        assert (tensors["norms.0.bias"] == 0).all()


def test_codes_are_unit_vectors(like):
    lengths = Hypernetwork(["a", "b", "c"], like).codes(["a", "b", "c"]).norm(dim=1)
    torch.testing.assert_close(lengths, torch.ones(3))


def test_codes_start_orthogonal_and_can_approach_each_other(like):
    network = Hypernetwork(["a", "b", "c"], like)
    codes = network.codes(["c", "a"])
    torch.testing.assert_close(codes @ codes.T, torch.eye(2))
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1)
    for _ in range(50):
        optimiser.zero_grad()
        first, second = network.codes(["a", "b"])
        (-first @ second).backward()
        optimiser.step()
    assert float((first @ second).detach()) > 0.5


def test_modalities_start_with_unrelated_kernels(like):
    for seed in range(5):
        torch.manual_seed(seed)
        one, other = Hypernetwork(["a", "b"], like)(["a", "b"]).values()
        pair = torch.stack([one["convs.3.weight"].flatten(), other["convs.3.weight"].flatten()])
        null = 1 / math.sqrt(pair.shape[1])
        assert abs(torch.corrcoef(pair)[0, 1].item()) < 5 * null


def test_no_part_of_a_kernel_is_common_to_all_modalities(like):
    """The kernel head is linear in the code: half a code gives half a kernel."""
    network = Hypernetwork(["a", "b"], like)
    code = network.codes(["a"])
    torch.testing.assert_close(network.kernels(code / 2), network.kernels(code) / 2)


def test_a_modality_generated_alone_or_among_others_is_the_same(like):
    network = Hypernetwork(["a", "b"], like)
    alone, among = network(["b"])["b"], network(["a", "b"])["b"]
    for name, tensor in alone.items():
        torch.testing.assert_close(tensor, among[name], atol=1e-6, rtol=1e-5)
