"""What the training part looks like, kept so that a later case can be compared with it.

standard     mean and scale of each variable of a vector modality; part of the model
embedding    what `Model.features` makes of one item
distance     Mahalanobis distance of an embedding from the training part's mean
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.covariance import LedoitWolf

from mmmed.modality import Pattern
from mmmed.models.contract import Model
from mmmed.models.standard import Standard
from mmmed.training.loader import Views
from mmmed.training.shelf import Shelf

QUANTILES = (0.5, 0.9, 0.95, 0.99)
"""Of the distances of the calibration part's items, which the model has not learned from."""

FEWEST_ITEMS = 10
"""Training items below which a mean and a covariance say nothing."""

BATCH = 16
"""Cases per forward pass."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Statistics:
    """One modality.

    Attributes:
        items: training items it is of.
        mean: (E,) of their embeddings.
        precision: (E, E) inverse covariance, shrunk (Ledoit and Wolf 2004,
            doi 10.1016/S0047-259X(03)00096-4).
        distances: quantile -> distance of the calibration items; empty where there are none.
        intensities: lowest and highest value of the training items, as prepared.
    """

    items: int
    mean: Floats
    precision: Floats
    distances: Mapping[float, float]
    intensities: tuple[float, float]

    def distance(self, embeddings: Floats) -> Floats:
        """Mahalanobis distances (n,) of embeddings (n, E)."""
        away = embeddings - self.mean
        squared = np.einsum("ne,ef,nf->n", away, self.precision, away)
        return np.asarray(np.sqrt(squared.clip(min=0)))


def standards(shelf: Shelf, shown: Mapping[str, Pattern]) -> dict[str, Standard]:
    """Vector modality -> its standard over the items that training cases show."""
    found = {}
    for modality in shelf.modalities:
        if modality.kind != "vector":
            continue
        rows = _items(shelf, shown, modality.name)
        if rows:
            values = torch.stack(rows).double()
            scale = values.std(dim=0, correction=0)
            found[modality.name] = Standard(
                mean=values.mean(dim=0).float(),
                scale=torch.where(scale > 0, scale, torch.ones_like(scale)).float(),
            )
    return found


def statistics(
    model: Model,
    shelf: Shelf,
    *,
    train: Mapping[str, Pattern],
    calibration: Iterable[str],
    device: torch.device | str = "cpu",
) -> dict[str, Statistics]:
    """Modality -> its statistics; no key for one with too few training items.

    Args:
        model: trained.
        shelf: prepared items.
        train: training case -> what it showed.
        calibration: cases of the calibration part.
        device: where the model computes.
    """
    owned = {case: shelf.owned(case) for case in calibration}
    seen, ranges = _features(model, shelf, train, device)
    held_out, _ = _features(model, shelf, owned, device)
    return {
        name: _statistics(values, held_out.get(name), ranges[name])
        for name, values in seen.items()
        if len(values) >= FEWEST_ITEMS
    }


def _statistics(
    values: Floats, held_out: Floats | None, intensities: tuple[float, float]
) -> Statistics:
    fitted = LedoitWolf().fit(values)
    found = Statistics(len(values), fitted.location_, fitted.precision_, {}, intensities)
    if held_out is None:
        return found
    levels = np.quantile(found.distance(held_out), QUANTILES)
    distances = dict(zip(QUANTILES, map(float, levels), strict=True))
    return Statistics(found.items, found.mean, found.precision, distances, intensities)


@torch.no_grad()
def _features(
    model: Model, shelf: Shelf, shown: Mapping[str, Pattern], device: torch.device | str
) -> tuple[dict[str, Floats], dict[str, tuple[float, float]]]:
    """Per modality the embeddings (n, E) and the range of the items they are of."""
    model.eval()
    rows: dict[str, list[Floats]] = {}
    ranges: dict[str, tuple[float, float]] = {}
    for batch in Views(shelf, shown, batch=BATCH):
        for name, embeddings in model.features(batch.to(device)).items():
            rows.setdefault(name, []).append(embeddings.double().cpu().numpy())
            data = batch.items[name].data
            low, high = ranges.get(name, (np.inf, -np.inf))
            ranges[name] = (min(low, float(data.min())), max(high, float(data.max())))
    return {name: np.concatenate(values) for name, values in rows.items()}, ranges


def _items(shelf: Shelf, shown: Mapping[str, Pattern], name: str) -> list[torch.Tensor]:
    one = Pattern.of([name])
    return [
        item
        for case, pattern in shown.items()
        if name in pattern
        for item in shelf.set(case, one).items[name]
    ]
