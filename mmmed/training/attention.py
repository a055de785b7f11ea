"""How much each item of a case counted in its prediction.

A method that weighs items tells their shares; the others tell nothing. Shares say what a model
looked at. They explain a prediction and are no evidence: another model may look elsewhere and be as
right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from mmmed.batch import ModalitySet, pack
from mmmed.models.contract import Model
from mmmed.readers.source import Source
from mmmed.record.table import Cell
from mmmed.training.logits import both_ways
from mmmed.training.package import Package
from mmmed.transforms.prepared import Prepared

Shares = Mapping[str, tuple[float, ...]]
"""Modality -> the share of each of a case's items, in their order."""


def attention_rows(
    package: Package, one: ModalitySet, items: Mapping[str, Sequence[Prepared]]
) -> list[dict[str, Cell]]:
    """Rows of `record.table.ATTENTION` of a case; none where nothing is weighed.

    Args:
        package: what predicts.
        one: what the case shows.
        items: modality -> where the items of the case come from.
    """
    shares = item_shares(package, one)
    if shares is None:
        return []
    about: dict[str, Cell] = {
        "case_id": one.case,
        "method": package.manifest.name,
        "fold": package.manifest.fold,
        "seed": package.manifest.seed,
    }
    return [{**about, **row} for row in _ranked(shares, items)]


@torch.inference_mode()
def item_shares(package: Package, one: ModalitySet) -> Shares | None:
    """The shares of a case's items; where mirrored items are averaged in, the mean of both."""
    found = [
        shares
        for way in both_ways(one, package.manifest.mirror)
        if (shares := _told(package.model, way, package.device)) is not None
    ]
    if not found:
        return None
    return {
        name: tuple(torch.stack([shares[name] for shares in found]).mean(dim=0).tolist())
        for name in found[0]
    }


def item_name(source: Source) -> str:
    """What people know an item by: its file, and of a tile its place on the slide.

    Files of DICOM have no name here, as it may be a patient's.
    """
    tile = source.tile
    if tile is None:
        return source.shown
    return f"{source.shown} at {tile.x}, {tile.y} ({tile.mpp:g} um per pixel)"


def _told(model: Model, one: ModalitySet, device: torch.device) -> dict[str, torch.Tensor] | None:
    names = [modality.name for modality in model.modalities]
    shares = model.attention(pack([one], modalities=names).to(device))
    return None if shares is None else {name: own.double().cpu() for name, own in shares.items()}


def _ranked(shares: Shares, items: Mapping[str, Sequence[Prepared]]) -> list[dict[str, Cell]]:
    """The items of a case, the most attended first."""
    found = [
        (weight, name, place) for name, own in shares.items() for place, weight in enumerate(own)
    ]
    found.sort(key=lambda item: -item[0])
    return [
        {
            "rank": rank,
            "modality": name,
            "item": place + 1,
            "source": item_name(items[name][place].source),
            "weight": weight,
        }
        for rank, (weight, name, place) in enumerate(found, start=1)
    ]
