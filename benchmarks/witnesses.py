"""Mean, sum, maximum and attention where a few of a case's many items tell its label.

`python -m benchmarks witnesses` gives AUROC on 1000 fresh cases, mean and standard deviation over
seeds, beside the oracle on the same cases and the ceiling of who sees the mean item alone.

fixed     the items themselves are pooled, as embeddings of a frozen network are, then two layers
learned   whole methods, whose nets learn from the same cases
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn

from mmmed.batch import Batch, ModalitySet, pack
from mmmed.modality import Modality
from mmmed.models.building import build, options
from mmmed.models.contract import Loss
from mmmed.models.hypermm.set_head import set_head
from mmmed.models.loss import cross_entropy, labels
from mmmed.simulation.witness import WitnessLaw, draw, log_odds

FIXED = ("mean", "max", "sum", "attention")
LEARNED: Mapping[str, tuple[str, dict[str, Any]]] = {
    "hypermm sum": ("hypermm", {"agg": "sum"}),
    "hypermm mean": ("hypermm", {"agg": "mean"}),
    "hypermm attention": ("hypermm", {"agg": "attention"}),
    "hypermm mean, one phase": ("hypermm", {"agg": "mean", "pretrain": False}),
    "hypermm attention, one phase": ("hypermm", {"agg": "attention", "pretrain": False}),
    "late-sum mean": ("late-sum", {}),
    "late-sum attention": ("late-sum", {"pooling": "attention"}),
}
STEPS, RATE = 150, 1e-2
TRAINED, TESTED = 200, 1000


def measure(*, seeds: int = 10, law: WitnessLaw = WitnessLaw()) -> dict[str, Any]:  # noqa: B008 frozen
    """AUROC of every form.

    Args:
        seeds: each draws other cases and starts another net.
        law: of the cases.
    """
    torch.set_num_threads(1)
    rows = [_seed(law, seed) for seed in range(seeds)]
    return {
        "items, witnesses, shift": [f"{law.items}, {law.witnesses}, {law.shift:g}"],
        "ceiling of the mean item": round(law.mean_ceiling, 3),
        **{
            name: f"{np.mean(found):.3f} ({np.std(found, ddof=1):.3f})"
            for name in rows[0]
            for found in [[row[name] for row in rows]]
        },
    }


def batch(law: WitnessLaw, count: int, generator: np.random.Generator) -> tuple[Batch, np.ndarray]:
    """Cases of both classes by turns, and the oracle's log-odds."""
    label = np.arange(count) % 2
    items = draw(law, label, generator)
    sets = [
        ModalitySet(
            case=str(row), subject=str(row), items={"x": list(own.unbind())}, label=int(label[row])
        )
        for row, own in enumerate(torch.tensor(items, dtype=torch.float32))
    ]
    return pack(sets, modalities=["x"]), log_odds(law, items)


def _seed(law: WitnessLaw, seed: int) -> dict[str, float]:
    generator = np.random.default_rng(seed)
    train, _ = batch(law, TRAINED, generator)
    test, oracle = batch(law, TESTED, generator)
    found = {"oracle": float(roc_auc_score(test.label, oracle))}
    for agg in FIXED:
        torch.manual_seed(seed)
        found[f"fixed {agg}"] = _auroc(_fixed(law, agg, train), test)
    for name, (kind, chosen) in LEARNED.items():
        torch.manual_seed(seed)
        found[name] = _auroc(_learned(law, kind, chosen, train), test)
    return found


def _fixed(law: WitnessLaw, agg: Any, train: Batch) -> Callable[[Batch], Tensor]:
    head = set_head("deep-sets", law.width, 2, agg=agg, dropout=0.0)

    def forward(shown: Batch) -> Tensor:
        logits: Tensor = head(shown, {"x": shown.items["x"].data}, nn.Identity())
        return logits

    _descend(
        head.parameters(), lambda: {"class": cross_entropy(forward(train), labels(train))}, STEPS
    )
    head.eval()
    return forward


def _learned(
    law: WitnessLaw, kind: str, chosen: dict[str, Any], train: Batch
) -> Callable[[Batch], Tensor]:
    modalities = (Modality("x", "vector", (law.width,)),)
    model = build(options(kind)(**chosen), modalities, classes=2, standards={})
    for phase in model.phases(STEPS):
        model.eval()
        for module in phase.learns:
            module.train()
        seen = phase.cache(train) if phase.cache else train
        for turn in phase.turns:
            _descend(turn.parameters, lambda turn=turn, seen=seen: turn.loss(seen), phase.steps)  # type: ignore[misc]
    return model.eval()


def _descend(
    parameters: Iterable[nn.Parameter], loss: Callable[[], Mapping[str, Loss]], steps: int
) -> None:
    """Full-batch steps."""
    optimiser = torch.optim.AdamW(parameters, lr=RATE)
    for _ in range(steps):
        optimiser.zero_grad()
        torch.stack([one.sum / one.count for one in loss().values()]).sum().backward()
        optimiser.step()


@torch.no_grad()
def _auroc(forward: Callable[[Batch], Tensor], test: Batch) -> float:
    return float(roc_auc_score(test.label, forward(test).diff(dim=1)[:, 0]))
