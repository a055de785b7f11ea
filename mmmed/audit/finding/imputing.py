"""Whether imputing is worth anything: the best method that imputes against the best that does not.

Both are chosen by their scores; the claim about them is adjusted over all comparisons of methods,
so that having looked at all of them is paid for.
"""

from __future__ import annotations

from collections.abc import Sequence

from mmmed.audit.finding.method import Contest
from mmmed.audit.finding.phrase import bounds, counted, listed, signed

WORDS = {
    "better": "Imputing is shown to be worth something",
    "better here": "As trained here imputing gains, but other trainings could turn it",
    "worse": "Imputing is shown to lose",
    "worse here": "As trained here imputing loses, but other trainings could turn it",
    "no worse": "Imputing is shown to lose no more than the margin, and not shown to gain",
    "inconclusive": "Whether imputing is worth anything is inconclusive",
}


def imputing(found: Contest, names: Sequence[str]) -> str | None:
    """The sentence; None where no method of the study imputes.

    Args:
        found: the methods side by side.
        names: of the methods that impute.
    """
    if not names:
        return None
    scored = [name for name in found.scores if _value(found, name) is not None]
    filling = [name for name in scored if name in names]
    plain = [name for name in scored if name not in names]
    if not (filling and plain):
        lacking = "that imputes" if plain else "that does without"
        return f"Whether imputing is worth anything is not answered: no method {lacking} was scored."
    pairs = [(one, other) for one in filling for other in plain]
    words = [word for pair in pairs if (word := found.word(*pair)) is not None]
    best, rival = (max(group, key=lambda name: _value(found, name)) for group in (filling, plain))
    word = found.word(best, rival)
    all_pairs = f"all {len(words)} comparisons: {counted(words)}" if words else "none was compared"
    if word is None:
        return f"Whether imputing is worth anything: {all_pairs} ({listed(filling)})."
    return (
        f"{WORDS.get(word, f'Imputing: {word}')}: {best}, the best that imputes, against {rival}, "
        f"the best that does not, {_gap(found, best, rival)} in {found.where} ({all_pairs})."
    )


def _gap(found: Contest, one: str, other: str) -> str:
    pair = found.between(one, other)
    if pair is None or pair[0]["value"] is None:
        return "not estimable"
    row, reversed_ = pair
    factor = -1.0 if reversed_ else 1.0
    return f"{signed(factor * row['value'])}{bounds(row['low'], row['high'], factor=factor)}"


def _value(found: Contest, name: str) -> float:
    row = found.scores[name]
    value: float = row["area"] if "area" in row else row["value"]
    return value
