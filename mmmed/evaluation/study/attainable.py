"""What was attainable, on simulated data: the oracle on the same cases, the ceiling of the law."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from mmmed.evaluation import known
from mmmed.evaluation.predictions import Key, Model
from mmmed.evaluation.study.cell import Place
from mmmed.evaluation.study.measured import Bench, Measured


class Attainable:
    """The best possible scores; None wherever the truth is not known.

    The oracle is measured on the same bench, so that it can be compared in every resample.
    """

    def __init__(
        self, bench: Bench, *, oracle: pd.DataFrame | None, ceilings: Mapping[str, Any] | None
    ) -> None:
        self._bench = bench
        self._oracle = known.Oracle(oracle) if oracle is not None else None
        self._ceilings = ceilings
        self._found: dict[Any, Measured | None] = {}

    def best(self, models: Sequence[Model]) -> Measured | None:
        """What the oracle scores on the very cases and patterns of these models."""
        if self._oracle is None:
            return None
        key = tuple((model.case, model.pattern) for model in models)
        if key not in self._found:
            self._found[key] = self._measure(self._oracle, models)
        return self._found[key]

    def ceiling(self, place: Place, measure: str) -> known.Ceiling:
        """The ceilings of one place; a stratum has none, as its people are chosen."""
        if place.table == "stratum":
            return known.Ceiling()
        key = Key("", place.protocol, place.rate, place.pattern)
        return known.find_ceiling(self._ceilings, key, measure)

    def gap(self, first: Sequence[Model], second: Sequence[Model], *, measure: str) -> float | None:
        """What the oracle gains from the patterns of the second models to those of the first."""
        one, other = self.best(first), self.best(second)
        if one is None or other is None:
            return None
        value = (one.mean[measure] - other.mean[measure]).value
        return value if value == value else None

    def _measure(self, oracle: known.Oracle, models: Sequence[Model]) -> Measured | None:
        scored = [(model, oracle.score(model)) for model in models]
        best = tuple(replace(model, scored=one) for model, one in scored if one is not None)
        return self._bench.measure(best) if models and len(best) == len(models) else None
