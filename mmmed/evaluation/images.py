"""Images scored one by one: the two conventions in which results of BreakHis are told.

image rate     share of all images whose class is recognised
patient rate   mean over patients of the share of their images that is recognised
set rate       share of cases whose class is recognised from all their images at once

The first two are the image and patient recognition rates of Spanhol et al.: A Dataset for Breast
Cancer Histopathological Image Classification, IEEE TBME 63(7), 2016, doi
10.1109/TBME.2015.2496264; the third is what every other table here counts. A patient is a subject,
so that two slides of one person count as one. Rates are computed inside each fold and seed and then
averaged; intervals draw patients with replacement.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mmmed.evaluation.bootstrap import Estimate, Floats, Interval, Resampling, average
from mmmed.evaluation.predictions import FORCED
from mmmed.modality import natural_sorted
from mmmed.record import table

ALL = "all"
"""Instead of a modality: the images of every modality, and sets of all that a case owns."""

RATES = ("image rate", "patient rate", "set rate")


@dataclass(frozen=True)
class Counts:
    """What was recognised of each patient, by one model.

    Attributes:
        subject: (p,) ids.
        right: (p,) images, or cases, whose class was recognised.
        given: (p,) how many there are; at least one.
    """

    subject: tuple[str, ...]
    right: Floats
    given: Floats

    @classmethod
    def of(cls, rows: pd.DataFrame) -> Counts:
        """Of rows with `subject_id`, `label` and `decision`."""
        by_patient = (rows["label"] == rows["decision"]).groupby(rows["subject_id"])
        right = by_patient.sum()
        return cls(
            tuple(map(str, right.index)),
            np.asarray(right, dtype=np.float64),
            np.asarray(by_patient.size(), dtype=np.float64),
        )

    def overall(self, weights: Floats) -> Floats:
        """Share of all images, (D,), patients weighted by (p, D)."""
        return _ratio(self.right @ weights, self.given @ weights)

    def by_patient(self, weights: Floats) -> Floats:
        """Mean over patients of their shares, (D,), patients weighted by (p, D)."""
        return _ratio((self.right / self.given) @ weights, weights.sum(axis=0))


def read_images(path: Path) -> pd.DataFrame:
    """`images.tsv`, every cell as text.

    Raises:
        DataError: the file is no such table.
    """
    return pd.DataFrame(table.rows(path, table.IMAGES))


def image_rates(
    images: pd.DataFrame,
    predictions: pd.DataFrame,
    *,
    classes: Sequence[str],
    methods: Sequence[str],
    interval: Interval,
) -> list[dict[str, Any]]:
    """One row per method, modality and rate, `all` after the modalities.

    Args:
        images: columns of `record.table.IMAGES` and `decision`.
        predictions: columns of `record.table.PREDICTIONS` and `decision`; the set rate is of its
            forced tables, and left out where there are none.
        classes: names; what has another label is left out.
        methods: in the order they are listed.
        interval: how intervals are made.
    """
    images = images[(images["split"] == "test") & images["label"].isin(classes)]
    sets = predictions[(predictions["split"] == "test") & predictions["label"].isin(classes)]
    sets = sets[sets["protocol"] == FORCED]
    people = sorted({*images["subject_id"], *sets["subject_id"]})
    resampling = Resampling.draw(people, draws=interval.draws, seed=interval.seed)
    found = []
    for method in methods:
        mine = images[images["method"] == method]
        own = sets[sets["method"] == method]
        for modality in (*natural_sorted(set(mine["modality"])), ALL):
            chosen = _chosen(mine, own, modality)
            found += [
                {"method": method, "modality": modality, **row}
                for row in _rows(*chosen, resampling=resampling, level=interval.level)
            ]
    return found


def _chosen(
    images: pd.DataFrame, sets: pd.DataFrame, modality: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The images of a modality and the cases under it alone; of all, cases under what they own."""
    if modality == ALL:
        return images, sets[sets["pattern"] == sets["owned"]]
    return images[images["modality"] == modality], sets[sets["pattern"] == modality]


def _rows(
    images: pd.DataFrame, sets: pd.DataFrame, *, resampling: Resampling, level: float
) -> Iterator[dict[str, Any]]:
    one_by_one, together = _models(images), _models(sets)
    sources = dict(zip(RATES, (one_by_one, one_by_one, together), strict=True))
    for rate, models in sources.items():
        if not models:
            continue
        estimates = [_estimate(resampling, counts, rate) for counts in models]
        mean = average(estimates)
        low, high = mean.interval(level) or (None, None)
        rows = sets if rate == RATES[2] else images
        yield {
            "rate": rate,
            "value": mean.value,
            "low": low,
            "high": high,
            "n": len(rows.drop_duplicates(["case_id", *_items(rows)])),
            "n_subjects": int(rows["subject_id"].nunique()),
            "models": len(models),
        }


def _models(rows: pd.DataFrame) -> list[Counts]:
    """One per fold and seed."""
    return [Counts.of(part) for _, part in rows.groupby(["fold", "seed"], sort=True)]


def _items(rows: pd.DataFrame) -> list[str]:
    """The columns that tell the images of a case apart; none in a table of cases."""
    return [name for name in ("modality", "item") if name in rows.columns]


def _estimate(resampling: Resampling, counts: Counts, rate: str) -> Estimate:
    score = counts.by_patient if rate == RATES[1] else counts.overall
    return resampling.estimate(lambda weights: {rate: score(weights)}, counts.subject)[rate]


def _ratio(above: Floats, below: Floats) -> Floats:
    """NaN where a replicate draws nobody."""
    found = np.full(above.shape, np.nan)
    np.divide(above, below, out=found, where=below > 0)
    return found
