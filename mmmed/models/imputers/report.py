"""How far an imputer lies from the truth: complete cases lose one modality and get it back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch

from mmmed.batch import Batch, segment_mean
from mmmed.models.contract import Guess
from mmmed.models.imputers.contract import Imputer, hidden


def guesses(imputer: Imputer, batches: Iterable[Batch], *, space: str) -> Iterator[Guess]:
    """Every modality of every case hidden and imputed, one at a time.

    Args:
        imputer: fitted.
        batches: complete cases, in the space of the imputer.
        space: what that is.
    """
    for batch in batches:
        if len(batch.modalities) == 1:
            continue  # nothing would be left to impute from
        for name in batch.modalities:
            guess = imputer.guess(hidden(batch, name), name, torch.arange(len(batch)))
            items = batch.items[name]
            truth = segment_mean(items.data, items.owner, len(batch))
            errors = {
                figure: values.tolist() for figure, values in imputer.error(guess, truth).items()
            }
            for row, case in enumerate(batch.case):
                mine = {figure: values[row] for figure, values in errors.items()}
                yield Guess(case, batch.subject[row], name, space, mine)


def mean_errors(found: Sequence[Guess]) -> dict[str, Any]:
    """Modality -> number of cases and the mean of each figure; empty where nothing is imputed."""
    means: dict[str, Any] = {}
    for name in dict.fromkeys(one.modality for one in found):
        mine = [one.error for one in found if one.modality == name]
        figures = {figure: sum(error[figure] for error in mine) / len(mine) for figure in mine[0]}
        means[name] = {"cases": len(mine), **figures}
    return means
