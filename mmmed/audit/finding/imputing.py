"""Whether imputing is worth anything: the best method that imputes against the best that does not.

Both are chosen by their scores; the claim about them is adjusted over all comparisons of methods,
so that having looked at all of them is paid for.
"""

from __future__ import annotations

from collections.abc import Sequence

from mmmed.audit.finding.method import Contest
from mmmed.audit.finding.phrase import bounds, counted, listed, signed

WORDS = {
    "better": "It is, here",
    "better here": "Inconclusive, as trained here it gains, but other trainings could turn it",
    "worse": "It is not, it is shown to lose",
    "worse here": "Inconclusive, as trained here it loses, but other trainings could turn it",
    "no worse": "Not shown, only that it loses less than the margin",
    "inconclusive": "Inconclusive",
}


def imputing(found: Contest, names: Sequence[str]) -> str | None:
    """The sentence; None where no method of the study imputes.

    Args:
        found: the methods side by side.
        names: of the methods that impute.
    """
    if not names:
        return None
    scored = {name: value for name in found.scores if (value := found.value(name)) is not None}
    filling = [name for name in scored if name in names]
    plain = [name for name in scored if name not in names]
    if not (filling and plain):
        lacking = "that imputes" if plain else "that does without"
        return f"Not answered: no method {lacking} was scored."
    pairs = [(one, other) for one in filling for other in plain]
    words = [word for pair in pairs if (word := found.word(*pair)) is not None]
    best, rival = (max(group, key=scored.__getitem__) for group in (filling, plain))
    word = found.word(best, rival)
    all_pairs = f"all {len(words)} comparisons: {counted(words)}" if words else "none was compared"
    if word is None:
        return f"Not answered of the best: {all_pairs} ({listed(filling)})."
    return (
        f"{WORDS.get(word, word)}: {best}, the best that imputes, against {rival}, "
        f"the best that does not, {_gap(found, best, rival)} in {found.where} ({all_pairs})."
    )


def _gap(found: Contest, one: str, other: str) -> str:
    pair = found.between(one, other)
    if pair is None or pair[0]["value"] is None:
        return "not estimable"
    row, reversed_ = pair
    factor = -1.0 if reversed_ else 1.0
    return f"{signed(factor * row['value'])}{bounds(row['low'], row['high'], factor=factor)}"
