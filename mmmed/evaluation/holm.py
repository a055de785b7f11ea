"""Holm's adjustment of the p values of one family of tests.

If all whose adjusted value is at most alpha are claimed, the chance of one false claim or more is
at most alpha, however the tests depend on each other.
Holm 1979, "A simple sequentially rejective multiple test procedure", Scandinavian
Journal of Statistics 6, 65-70.
"""

from __future__ import annotations

from collections.abc import Sequence


def holm(p: Sequence[float]) -> list[float]:
    """The adjusted p values of one family, in the order given."""
    adjusted = [0.0] * len(p)
    highest = 0.0
    for place, index in enumerate(sorted(range(len(p)), key=lambda one: p[one])):
        highest = max(highest, min(1.0, (len(p) - place) * p[index]))
        adjusted[index] = highest
    return adjusted
