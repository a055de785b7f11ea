from __future__ import annotations

import pytest
import torch
from torch import nn

from mmmed.models.contract import Loss
from mmmed.training.objective import objective


def weight() -> nn.Parameter:
    return nn.Parameter(torch.tensor(3.0))


def test_terms_are_divided_by_their_counts_and_added() -> None:
    found = objective(
        {"a": Loss(torch.tensor(6.0), 3), "b": Loss(torch.tensor(5.0), 2)}, [weight()]
    )
    assert float(found.value) == pytest.approx(6 / 3 + 5 / 2)
    assert {name: float(term) for name, term in found.terms.items()} == {"a": 2.0, "b": 2.5}


def test_a_term_of_nothing_is_left_out() -> None:
    found = objective(
        {"a": Loss(torch.tensor(6.0), 3), "b": Loss(torch.tensor(0.0), 0)}, [weight()]
    )
    assert float(found.value) == 2.0
    assert list(found.terms) == ["a"]


def test_a_turn_with_nothing_has_no_value() -> None:
    assert objective({}, [weight()]).value is None


def test_terms_carry_no_gradient() -> None:
    one = weight()
    assert not objective({"a": Loss(one * 2, 1)}, [one]).terms["a"].requires_grad


def test_the_wish_to_stop_is_passed_on() -> None:
    assert objective({}, [weight()], stop=True).stop
