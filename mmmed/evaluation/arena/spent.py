"""What an entrant of the arena costs: hours of training, its imputer's share, one prediction.

Means over its jobs. Seconds are wall time beside whatever else the machine did; operations, as
`cost.json` counts them, are the same for everyone. What is not known of every job is None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

IMPUTER = "imputer"
"""The phase in which an imputer of images trains; one of features is fitted in a moment."""

SECONDS = 3600

Job = Mapping[str, Mapping[str, Any]]


def spent_row(
    jobs: Sequence[Job], *, complete: str, without: str, imputes: bool
) -> dict[str, float | None]:
    """The columns of an entrant's costs.

    Args:
        jobs: of one entrant: `seconds` as `seconds.json`, `cost` as `cost.json`.
        complete: the pattern of all modalities.
        without: the pattern without the lost one.
        imputes: whether the entrant does.
    """
    seconds = [job["seconds"] for job in jobs]
    counted = [job["cost"] for job in jobs]
    phases = [one.get("phases", {}) for one in seconds]
    training = [one.get("training") for one in counted]
    own = 0.0 if imputes else None
    return {
        "hours": _mean([_hours(one.get("training")) for one in seconds]),
        "hours_imputer": _mean([_hours(one.get(IMPUTER, own)) for one in phases]),
        "seconds_complete": _mean([one.get("prediction", {}).get(complete) for one in seconds]),
        "seconds_without": _mean([one.get("prediction", {}).get(without) for one in seconds]),
        "operations": _mean([None if one is None else sum(one.values()) for one in training]),
        "operations_imputer": _mean(
            [None if one is None else one.get(IMPUTER, own) for one in training]
        ),
        "operations_complete": _mean([one.get("prediction", {}).get(complete) for one in counted]),
        "operations_without": _mean([one.get("prediction", {}).get(without) for one in counted]),
    }


def _hours(seconds: float | None) -> float | None:
    return None if seconds is None else seconds / SECONDS


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None
