"""Rows about what a modality that a case lacks might make of its prediction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mmmed.evaluation.outlook import Outlook
from mmmed.modality import Pattern
from mmmed.record.table import Cell
from mmmed.training.package import Package, Prediction

Asked = tuple[str, Pattern]
"""A case and what it shows."""


def outlook_rows(
    outlooks: Mapping[Asked, Outlook],
    found: Mapping[Asked, Prediction],
    about: Mapping[str, Mapping[str, Cell]],
    package: Package,
) -> list[dict[str, Cell]]:
    """Rows of `record.table.COUNTERFACTUAL`.

    Args:
        outlooks: what was said of each view.
        found: every view's prediction, views with the modality among them.
        about: case -> what its rows begin with.
        package: that said it.
    """
    everything = package.reader.everything
    classes = package.manifest.classes
    return [
        {
            **about[case],
            "pattern": str(pattern),
            **would_cells(told),
            "decides_now": found[case, pattern].decision,
            "decides_then": then.decision if (then := found.get((case, everything))) else None,
            **_chances("now", found[case, pattern], classes),
            **_chances("then", found.get((case, everything)), classes),
        }
        for (case, pattern), told in outlooks.items()
    ]


def would_cells(told: Outlook) -> dict[str, Cell]:
    """The columns `would_*`."""
    change = None if told.stable is None else ("no" if told.stable else "yes")
    return {
        "lacking": told.modality,
        "would_change": change,
        "would_low": told.low,
        "would_high": told.high,
        "would_stay": told.stays,
        "would_bits": told.bits,
        "would_drift": told.drift,
        "would_say": told.reason,
    }


def outlook_columns(classes: Sequence[str]) -> tuple[str, ...]:
    """The columns of a table of outlooks after the schema's own."""
    return tuple(f"{when}_{name}" for when in ("now", "then") for name in classes)


def _chances(when: str, prediction: Prediction | None, classes: Sequence[str]) -> dict[str, Cell]:
    """Probabilities; empty cells where nothing was predicted."""
    each = (None,) * len(classes) if prediction is None else prediction.probabilities
    return {f"{when}_{name}": one for name, one in zip(classes, each, strict=True)}
