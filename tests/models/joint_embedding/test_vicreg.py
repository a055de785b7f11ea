"""R6 and R7: VICReg by hand, and over the ranks of a distributed run."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.multiprocessing.spawn import spawn
from vicreg_ranks import RANKS, pairs, run_rank

from mmmed.errors import DataError
from mmmed.models.joint_embedding.vicreg import Coefficients, vicreg, vicreg_loss

NAMES = ("invariance", "variance", "covariance")
DECORRELATED = [[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]
CORRELATED = [[0.0, 0], [2, 2], [0, 0], [2, 2]]


def term(name: str, one: Tensor, other: Tensor) -> float:
    only = {each: float(each == name) for each in NAMES}
    return float(vicreg(one, other, coefficients=Coefficients(**only)))


@pytest.mark.parametrize(
    ("one", "other", "terms", "loss"),
    [
        # s, v, c; a constant column falls short by 1 - sqrt(1e-4) = 0.99
        ([[3.0, 5]] * 4, [[3.0, 5]] * 4, (0, 0.99, 0), 24.75),
        (DECORRELATED, DECORRELATED, (0, 0, 0), 0),
        # covariance 4/3 off the diagonal: 2 x (2 x 16/9) / 2
        (CORRELATED, CORRELATED, (0, 0, 3.5556), 3.5556),
        (CORRELATED, [[1.0, 1], [3, 3], [1, 1], [3, 3]], (1, 0, 3.5556), 28.5556),
    ],
)
def test_r6_values_by_hand(one, other, terms, loss):
    one, other = torch.tensor(one), torch.tensor(other)
    for name, expected in zip(NAMES, terms, strict=True):
        assert term(name, one, other) == pytest.approx(expected, abs=1e-4), name
    assert float(vicreg(one, other)) == pytest.approx(loss, abs=1e-4)


def test_r6_the_invariance_is_a_mean_over_all_entries():
    one = torch.zeros(4, 10)
    assert term("invariance", one, one + 2) == pytest.approx(4)


def test_r6_the_variance_is_unbiased():
    one = torch.tensor([[0.0], [0.5]])  # variance 0.125 over N - 1, 0.0625 over N
    assert term("variance", one, one) == pytest.approx(1 - (0.125 + 1e-4) ** 0.5)


def test_r7_a_joint_permutation_of_rows_and_a_swap_of_views_change_nothing():
    one, other = torch.randn(6, 5), torch.randn(6, 5)
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    assert float(vicreg(one[order], other[order])) == pytest.approx(float(vicreg(one, other)))
    assert float(vicreg(other, one)) == pytest.approx(float(vicreg(one, other)))


def test_r7_variance_and_covariance_ignore_a_constant_vector():
    one, other = torch.randn(6, 5), torch.randn(6, 5)
    shift = torch.arange(5.0)
    for name in ("variance", "covariance"):
        moved = term(name, one + shift, other - shift)
        assert moved == pytest.approx(term(name, one, other), rel=1e-5)


def test_r7_constant_columns_have_a_finite_gradient():
    one = torch.ones(4, 3, requires_grad=True)
    vicreg(one, torch.ones(4, 3)).backward()
    assert torch.isfinite(one.grad).all()


def test_one_pair_is_refused():
    with pytest.raises(DataError, match=r"^VICReg compares two pairs or more, not 1"):
        vicreg(torch.ones(1, 3), torch.ones(1, 3))


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_pairs_are_no_term(count):
    found = vicreg_loss(torch.ones(count, 3), torch.ones(count, 3), coefficients=Coefficients())
    assert found.count == 0
    assert float(found.sum) == 0


def test_the_term_of_one_process_is_the_weighted_loss():
    one, other = torch.randn(6, 5), torch.randn(6, 5)
    found = vicreg_loss(one, other, coefficients=Coefficients(), weight=0.1)
    assert float(found.sum) / found.count == pytest.approx(0.1 * float(vicreg(one, other)))


on_demand = pytest.mark.slow


@pytest.mark.parametrize(
    "sizes", [(4, 1), pytest.param((3, 2), marks=on_demand), pytest.param((5, 0), marks=on_demand)]
)
def test_ranks_together_have_the_value_and_the_gradient_of_one_process(sizes, tmp_path):
    spawn(run_rank, args=(sizes, str(tmp_path)), nprocs=RANKS)
    found = [torch.load(tmp_path / f"{rank}.pt") for rank in range(RANKS)]
    one, other = (each.requires_grad_() for each in pairs())
    loss = vicreg(one, other)
    loss.backward()
    count = sum(each[1] for each in found)
    assert count == 5
    total = sum(float(each[0]) for each in found)
    assert total / count == pytest.approx(float(loss.detach()), rel=1e-5)
    for place, view in ((2, one), (3, other)):
        gradient = torch.cat([each[place] for each in found]) / count
        torch.testing.assert_close(gradient, view.grad, atol=1e-6, rtol=1e-5)
