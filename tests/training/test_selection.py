from __future__ import annotations

import torch
from torch import nn

from mmmed.training.history import Look
from mmmed.training.selection import Selection


def offer(selection: Selection, figures: list[tuple[float | None, float | None]]) -> nn.Linear:
    """Offer looks (loss, auroc); the weights of look n are all n."""
    model = nn.Linear(1, 1)
    for step, (loss, auroc) in enumerate(figures, start=1):
        with torch.no_grad():
            model.weight.fill_(step)
        selection.offer(Look(step=step, loss=loss, auroc=auroc), model)
    return model


def test_the_lowest_loss_is_kept() -> None:
    selection = Selection(3, "loss")
    offer(selection, [(0.7, 0.1), (0.5, 0.2), (0.6, 0.9)])
    assert selection.step == 2
    assert selection.weights is not None
    assert float(selection.weights["weight"]) == 2


def test_the_highest_auroc_is_kept() -> None:
    selection = Selection(3, "auroc")
    offer(selection, [(0.7, 0.1), (0.5, 0.2), (0.6, 0.9)])
    assert selection.step == 3


def test_patience_runs_out_after_as_many_looks_without_a_better_one() -> None:
    selection = Selection(2, "loss")
    offer(selection, [(0.5, None), (0.5, None)])
    assert not selection.is_over
    offer(selection, [(0.6, None)])
    assert selection.is_over


def test_an_undefined_figure_is_never_better() -> None:
    selection = Selection(1, "auroc")
    offer(selection, [(0.5, None), (0.5, float("nan"))])
    assert selection.weights is None


def test_without_patience_nothing_is_remembered() -> None:
    selection = Selection(None, "loss")
    offer(selection, [(0.5, None), (0.6, None), (0.7, None)])
    assert (selection.weights, selection.is_over) == (None, False)


def test_a_selection_goes_on_from_its_state() -> None:
    one, other = Selection(2, "loss"), Selection(2, "loss")
    offer(one, [(0.5, None), (0.6, None)])
    other.load_state_dict(one.state_dict())
    offer(other, [(0.55, None)])
    assert (other.step, other.is_over) == (1, True)
