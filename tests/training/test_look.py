from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mmmed.training.look import auroc


def labels(*values: int) -> Tensor:
    return torch.tensor(values)


def test_auroc_is_the_share_of_pairs_in_order_ties_counting_half() -> None:
    logits = torch.tensor([[0.0, 1.0], [0.0, 2.0], [0.0, 2.0], [0.0, 3.0]])
    # pairs (negative, positive): (1, 2) in order, (1, 3) in order, (2, 2) tied, (2, 3) in order
    assert auroc(logits, labels(0, 0, 1, 1)) == pytest.approx(3.5 / 4)


def test_auroc_of_three_classes_is_the_mean_of_one_against_the_rest() -> None:
    logits = torch.log(torch.tensor([[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.3, 0.4, 0.3]]))
    # class 0: 0.8 above both; class 1: 0.7 above both; class 2: 0.3 above both
    assert auroc(logits, labels(0, 1, 2)) == pytest.approx(1.0)


def test_auroc_of_one_class_is_undefined() -> None:
    assert auroc(torch.zeros(3, 2), labels(1, 1, 1)) is None


def test_auroc_of_a_diverged_model_is_undefined() -> None:
    assert auroc(torch.full((2, 2), float("nan")), labels(0, 1)) is None


def test_auroc_tells_certain_cases_apart_that_probabilities_no_longer_do() -> None:
    logits = torch.tensor([[0.0, 50.0], [0.0, 60.0], [0.0, 70.0]])
    assert auroc(logits, labels(0, 1, 1)) == 1.0
