"""Tables of statistics written by hand: three methods that lose PETs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mmmed.audit.finding.place import Place
from mmmed.audit.statistics import Statistics

HERE = {"cohort": None, "train": "mcar 0.5", "protocol": "mcar"}


@pytest.fixture
def place() -> Place:
    return Place(None, "mcar 0.5", "mcar")


@pytest.fixture
def tables() -> Callable[..., Statistics]:
    """Statistics of curves with these areas, and these comparisons of them."""

    def make(areas: dict[str, float], *comparisons: dict[str, Any], **more: Any) -> Statistics:
        curves = [
            {
                **HERE,
                "method": name,
                "rates": "0.0 0.5 1.0",
                "slope": -0.2,
                "slope_low": -0.3,
                "slope_high": -0.1,
                "area": area,
                "area_low": area - 0.1,
                "area_high": area + 0.1,
            }
            for name, area in areas.items()
        ]
        best = max(areas, key=areas.__getitem__)
        ranks = [
            {**HERE, "method": name, "of": "area", "best": 0.75 if name == best else 0.1}
            for name in areas
        ]
        plan = {"margin": 0.02, "interval": {"level": 0.95}}
        values = {"curves": curves, "ranks": ranks, "comparisons": comparisons, **more}
        empty = {"scores": (), "answers": (), "notes": ()}
        return Statistics(plan=plan, title="AUROC", **{**empty, **values})

    return make


@pytest.fixture
def versus() -> Callable[..., dict[str, Any]]:
    """A comparison of two curves, or of what `more` says."""

    def make(method: str, other: str, word: str, value: float = 0.05, **more: Any) -> Any:
        row = {
            **HERE,
            "kind": "area",
            "method": method,
            "other_method": other,
            "word": word,
            "value": value,
            "low": value - 0.03,
            "high": value + 0.03,
            "pattern": "mixed",
            "other_pattern": "mixed",
            "rate": 0.0,
            "n": 40,
            "training": 0.01,
            "seen_in_family": 0.06,
            "oracle": None,
        }
        return {**row, **more}

    return make
