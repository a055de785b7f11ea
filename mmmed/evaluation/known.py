"""What is known on simulated data: the best possible answer.

oracle          the true log-odds of a case given the burdens its pattern shows; scored on the very
                cases a method is scored on; it decides for the likelier class, which is best for
                accuracy: where classes are unequal another threshold has more balanced accuracy
ceiling_images  the population's best score from the images alone
ceiling_all     the best score from the images and from the pattern, which is evidence where
                absence depends on the label or the burden
fraction        (AUROC - 0.5) / (oracle AUROC - 0.5) on the same cases
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from mmmed.errors import DataError
from mmmed.evaluation.predictions import Key, Model
from mmmed.evaluation.scores import Scored

CHANCE = 0.5
"""AUROC of a score that knows nothing."""

EVIDENCE = 0.001
"""ceiling_all must be this far above ceiling_images for absence to count as evidence; Monte-Carlo
ceilings are good to less."""


@dataclass(frozen=True)
class Ceiling:
    """The ceilings of one table and metric; None where not stated.

    Attributes:
        images: from the images alone.
        both: from the images and the pattern.
        error: Monte-Carlo standard error of either; 0 in closed form.
    """

    images: float | None = None
    both: float | None = None
    error: float | None = None

    @property
    def absence_is_evidence(self) -> bool:
        """Whether knowing the pattern raises the best possible score."""
        return (
            self.images is not None and self.both is not None and self.both > self.images + EVIDENCE
        )


@dataclass(frozen=True)
class Truth:
    """What is known of one cohort; nothing of a real one.

    Attributes:
        oracle: columns `case_id`, `pattern`, `log_odds`; None where the truth is unknown.
        ceilings: as `ceilings.json`; None where unknown.
    """

    oracle: pd.DataFrame | None = None
    ceilings: Mapping[str, Any] | None = None


def read_oracle(truth: Mapping[str, Any]) -> pd.DataFrame:
    """The oracle of `truth.json`: columns `case_id`, `pattern`, `log_odds`.

    Raises:
        DataError: the truth holds no log-odds.
    """
    try:
        rows = [
            (case, pattern, float(value))
            for case, record in truth["cases"].items()
            for pattern, value in record["log_odds"].items()
        ]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise DataError(
            f"truth.json: holds no log-odds per case and pattern ({error!r})"
        ) from error
    return pd.DataFrame(rows, columns=["case_id", "pattern", "log_odds"])


class Oracle:
    """The best possible predictions, looked up by case and pattern."""

    def __init__(self, table: pd.DataFrame) -> None:
        keys = zip(table["case_id"].astype(str), table["pattern"].astype(str), strict=True)
        self._log_odds = dict(zip(keys, table["log_odds"].astype(float), strict=True))

    def score(self, model: Model) -> Scored | None:
        """What the oracle would have predicted for a model's cases; None where it is unknown."""
        pairs = list(zip(model.case, model.pattern, strict=True))
        if model.scored.classes != 2 or any(pair not in self._log_odds for pair in pairs):
            return None
        odds = np.array([self._log_odds[pair] for pair in pairs])
        chances = np.stack([expit(-odds), expit(odds)], axis=1)
        decision = (odds > 0).astype(np.int64)
        return Scored(model.scored.label, chances, decision, model.scored.positive)


def find_ceiling(ceilings: Mapping[str, Any] | None, key: Key, metric: str) -> Ceiling:
    """The ceilings of a table in `ceilings.json`.

    `{"rows": [{"protocol": .., "rate": .. or null, "pattern": .., "ceiling_images": {"auroc": ..,
    "accuracy": .., "error": ..}, "ceiling_all": the same or null}]}`
    """
    for row in (ceilings or {}).get("rows", ()):
        if (row["protocol"], row["pattern"]) == (key.protocol, key.pattern) and _same_rate(
            row.get("rate"), key.rate
        ):
            images, both = row.get("ceiling_images") or {}, row.get("ceiling_all") or {}
            return Ceiling(images.get(metric), both.get(metric), images.get("error"))
    return Ceiling()


def pattern_alone(model: Model) -> Scored:
    """The cases scored by their pattern only: its share of positives among these very cases.

    In-sample, so with many patterns and few cases it flatters the pattern.
    """
    k = model.scored.classes - 1 if model.scored.positive is None else model.scored.positive
    positive = (model.scored.label == k).astype(float)
    share = pd.Series(positive).groupby(list(model.pattern)).transform("mean").to_numpy()
    chances = np.stack([1 - share, share] if k == 1 else [share, 1 - share], axis=1)
    decision = np.argmax(chances, axis=1)
    return Scored(model.scored.label, chances, decision, model.scored.positive)


def remark(value: float, ceiling: Ceiling, *, oracle: float | None) -> str | None:
    """`using absence as evidence` where a score is above what the images can give.

    The images' best is the larger of the population's ceiling and the oracle on the same cases,
    so that a lucky test set is not taken for a use of absence.
    """
    known = [best for best in (ceiling.images, oracle) if best is not None]
    if ceiling.absence_is_evidence and value > max(known):
        return "using absence as evidence"
    return None


def is_mixed(models: Sequence[Model]) -> bool:
    """Whether more than one pattern is shown."""
    return len({pattern for model in models for pattern in model.pattern}) > 1


def _same_rate(rate: float | None, wanted: float) -> bool:
    return abs((-1.0 if rate is None else float(rate)) - wanted) < 1e-9
