"""How far an imputer lies from the truth: complete cases lose one modality and get it back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

from mmmed.batch import Batch, segment_mean
from mmmed.models.imputers.contract import Imputer, hidden


def imputation_errors(imputer: Imputer, batches: Iterable[Batch]) -> dict[str, Any]:
    """Modality -> number of cases and the mean of each figure; empty where there is no case.

    Args:
        imputer: fitted.
        batches: complete cases, in the space of the imputer.
    """
    found: dict[str, dict[str, list[torch.Tensor]]] = {}
    for batch in batches:
        for name in batch.modalities:
            if len(batch.modalities) == 1:
                continue  # nothing would be left to impute from
            rows = torch.arange(len(batch))
            guess = imputer.guess(hidden(batch, name), name, rows)
            items = batch.items[name]
            truth = segment_mean(items.data, items.owner, len(batch))
            for figure, values in imputer.error(guess, truth).items():
                found.setdefault(name, {}).setdefault(figure, []).append(values)
    return {
        name: {
            "cases": sum(len(one) for one in next(iter(figures.values()))),
            **{figure: float(torch.cat(values).mean()) for figure, values in figures.items()},
        }
        for name, figures in found.items()
    }
