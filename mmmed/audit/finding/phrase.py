"""Numbers and names as the first paragraph writes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from mmmed.audit.folder import Row
from mmmed.evaluation.study.answer import WORDS
from mmmed.evaluation.text import number


def signed(value: float | None) -> str:
    """`+.012`, `-.012`."""
    if value is None:
        return number(None)
    return number(value) if round(value, 3) < 0 else f"+{number(abs(value))}"


def bounds(low: float | None, high: float | None, *, factor: float = 1.0) -> str:
    """` [-.020, -.004]`; empty without an interval."""
    if low is None or high is None:
        return ""
    ends = sorted((low * factor, high * factor))
    return f" [{signed(ends[0])}, {signed(ends[1])}]"


def gap(row: Row) -> str:
    """A difference with its interval."""
    return f"{signed(row['value'])}{bounds(row['low'], row['high'])}"


def score(value: float | None, low: float | None, high: float | None) -> str:
    """A score with its interval: `.889 [.791, .938]`."""
    ends = "" if low is None or high is None else f" [{number(low)}, {number(high)}]"
    return f"{number(value)}{ends}"


def listed(names: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def counted(words: Iterable[str]) -> str:
    """`2 better, 3 inconclusive`."""
    found = Counter(words)
    return ", ".join(f"{found[word]} {word}" for word in WORDS if found[word])


def turned(word: str) -> str:
    """A verdict as the other side reads it; `no worse` tells that side nothing."""
    opposite = {"better": "worse", "worse": "better"}
    first, *rest = word.split(" ")
    if word == "no worse":
        return "inconclusive"
    return " ".join([opposite.get(first, first), *rest])
