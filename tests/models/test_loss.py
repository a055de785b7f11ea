"""Losses as sums and counts."""

from __future__ import annotations

import math

import pytest
import torch

from mmmed.batch import ModalitySet, pack
from mmmed.errors import DataError
from mmmed.models.loss import cross_entropy, item_labels, labels, squared_error


def test_cross_entropy_is_summed_over_labelled_rows_alone():
    logits = torch.tensor([[0.0, 0.0], [9.0, 0.0], [0.0, math.log(3)]])
    loss = cross_entropy(logits, torch.tensor([0, -1, 1]))
    assert loss.count == 2
    assert float(loss.sum) == pytest.approx(math.log(2) + math.log(4 / 3))


def test_smoothing_mixes_in_the_even_distribution():
    loss = cross_entropy(torch.tensor([[0.0, math.log(3)]]), torch.tensor([1]), smoothing=0.2)
    assert float(loss.sum) == pytest.approx(0.9 * math.log(4 / 3) + 0.1 * math.log(4), rel=1e-6)


def test_no_labelled_row_counts_nothing():
    loss = cross_entropy(torch.zeros(2, 2), torch.tensor([-1, -1]))
    assert (float(loss.sum), loss.count) == (0, 0)


def test_squared_error_is_a_mean_over_entries_and_a_weighted_sum_over_rows():
    loss = squared_error(torch.tensor([[1.0, 3.0], [0.0, 0.0]]), torch.zeros(2, 2), weight=0.5)
    assert (float(loss.sum), loss.count) == (2.5, 2)


def test_an_item_has_the_label_of_its_case():
    sets = [
        ModalitySet(str(row), str(row), {"a": [torch.zeros(1)] * (row + 1)}, row) for row in (0, 1)
    ]
    assert item_labels(pack(sets, modalities=["a"]), "a").tolist() == [0, 1, 1]


def test_a_batch_without_labels_cannot_be_trained_on():
    batch = pack([ModalitySet("a", "a", {"a": [torch.zeros(1)]})], modalities=["a"])
    unlabelled = type(batch)(batch.modalities, batch.items, None, batch.case, batch.subject)
    with pytest.raises(DataError, match="carries labels"):
        labels(unlabelled)
