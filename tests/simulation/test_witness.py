"""The law of few telling items: its log-odds by counting, and what its ceilings bound."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal
from sklearn.metrics import roc_auc_score
from torch.nn.functional import cross_entropy

from mmmed.batch import Batch, Items
from mmmed.models.hypermm.set_head import set_head
from mmmed.simulation.witness import WitnessLaw, draw, log_odds

LAW = WitnessLaw()


def test_log_odds_are_the_mean_likelihood_ratio_over_all_choices_of_witnesses() -> None:
    law = WitnessLaw(items=5, witnesses=2, shift=1.5, width=3)
    items = draw(law, np.array([0, 1, 1]), np.random.default_rng(0))
    normal = multivariate_normal(np.zeros(3))
    shifted = multivariate_normal(law.shift * law.direction)
    for case, found in zip(items, log_odds(law, items), strict=True):
        ratio = shifted.pdf(case) / normal.pdf(case)
        expected = np.mean([ratio[a] * ratio[b] for a, b in combinations(range(5), 2)])
        assert found == pytest.approx(np.log(expected))


def test_the_ceiling_of_the_mean_item_is_what_the_best_direction_reaches() -> None:
    label = np.arange(20_000) % 2
    items = draw(LAW, label, np.random.default_rng(1))
    reached = roc_auc_score(label, items.mean(axis=1) @ LAW.direction)
    assert reached == pytest.approx(LAW.mean_ceiling, abs=0.012)  # three standard errors


def as_batch(items: np.ndarray, label: np.ndarray) -> Batch:
    names = tuple(map(str, range(len(label))))
    owner = torch.arange(len(label)).repeat_interleave(LAW.items)
    data = torch.tensor(items.reshape(-1, LAW.width), dtype=torch.float32)
    return Batch(("x",), {"x": Items(data, owner)}, torch.tensor(label), names, names)


def pooled_auroc(agg: str, train: Batch, test: Batch) -> float:
    """AUROC of two layers on items that are pooled as they are, as of a frozen extractor."""
    torch.manual_seed(0)
    head = set_head("deep-sets", LAW.width, 2, agg=agg, dropout=0.0)  # type: ignore[arg-type]
    optimiser = torch.optim.AdamW(head.parameters(), lr=0.02)
    for _ in range(100):
        loss = cross_entropy(
            head(train, {"x": train.items["x"].data}, torch.nn.Identity()), train.label
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        logits = head(test, {"x": test.items["x"].data}, torch.nn.Identity())
    return float(roc_auc_score(test.label, logits[:, 1] - logits[:, 0]))


def test_attention_finds_the_one_item_that_tells_and_the_mean_cannot() -> None:
    random = np.random.default_rng(2)
    learned, asked = np.arange(200) % 2, np.arange(1000) % 2
    train = as_batch(draw(LAW, learned, random), learned)
    items = draw(LAW, asked, random)
    test = as_batch(items, asked)
    oracle = roc_auc_score(asked, log_odds(LAW, items))
    mean, attention = (pooled_auroc(agg, train, test) for agg in ("mean", "attention"))
    assert mean < LAW.mean_ceiling + 0.03  # by chance no more than this
    assert LAW.mean_ceiling + 0.1 < attention < oracle + 0.01
