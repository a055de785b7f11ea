"""The answers of the arena, a sentence per question; `inconclusive` is one of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from mmmed.evaluation.arena.between import FEWEST
from mmmed.evaluation.arena.contest import Contest, Entrant
from mmmed.evaluation.study.comparison import Comparison
from mmmed.evaluation.study.plan import Plan
from mmmed.evaluation.study.verdict import Verdict
from mmmed.evaluation.text import number

Row = Mapping[str, Any]

FIGURE = "mae"
"""What a better look means in a sentence; the other figures stand in the tables."""


def worth_sentence(
    contest: Contest, judged: Sequence[tuple[Comparison, Verdict]], *, title: str, where: str
) -> str:
    """Whether imputing is worth anything: it must beat everyone who does without."""
    told = [_told(one, verdict) for one, verdict in judged]
    won = [one.method for one, verdict in judged if verdict.word == "better"]
    head = f"Is it worth anything to impute a lost {contest.lost}{where}?"
    said = (
        f"Yes: {', '.join(won)} beats every method that does not impute"
        if won
        else "Not shown: no imputer beats every method that does not impute"
    )
    return f"{head} {said}. {title} against the hardest of these: {'; '.join(told)}."


def looks_sentence(
    contest: Contest, between: Sequence[Row], within: Sequence[Row], *, plan: Plan, where: str
) -> str:
    """Whether a better-looking image means a better diagnosis."""
    head = f"Does a better-looking {contest.lost} mean a better diagnosis{where}?"
    mine = [row for row in within if row["figure"] == FIGURE]
    if not mine:
        return f"{head} No imputer of images took part, so nothing can be said."
    words = [_word(row, plan.alpha) for row in mine]
    across = next((row for row in between if row["figure"] == FIGURE), None)
    parts = [
        _across(across, plan.alpha),
        *(_one(row, word) for row, word in zip(mine, words, strict=True)),
    ]
    return f"{head} {_verdict(words, across, plan.alpha)}: {'; '.join(parts)}."


def unseen_sentence(entrants: Sequence[Entrant], visible: Collection[str]) -> Iterator[str]:
    """Which imputers have no image error."""
    hidden = [one.method for one in entrants if one.imputer and one.method not in visible]
    if hidden:
        yield (
            f"{', '.join(hidden)}: imputed in the space of features, where there is nothing to "
            "look at and no image error."
        )


def _told(one: Comparison, verdict: Verdict) -> str:
    gap = one.gap
    if gap.value is None:
        return f"{one.method} {verdict.word} ({gap.reason})"
    bounds = "" if gap.low is None else f" [{number(gap.low)}, {number(gap.high)}]"
    return f"{one.method} {_signed(gap.value)}{bounds} ({one.other_method}), {verdict.word}"


def _across(row: Row | None, alpha: float) -> str:
    if row is None:
        return "one imputer of images says nothing of others"
    if row["rho"] is None or row["p"] is None:
        return f"the {row['imputers']} imputers of images score or look alike"
    said = f"rho over {row['imputers']} imputers {_signed(row['rho'])}, p = {row['p']:.2g}"
    if row["least_p"] > alpha:
        return f"{said}, and fewer than {FEWEST} can show nothing"
    return said


def _one(row: Row, word: str) -> str:
    if row["rho"] is None or row["low"] is None:
        return f"over the cases of {row['method']} not estimable"
    return (
        f"over the cases of {row['method']} rho {_signed(row['rho'])} "
        f"[{number(row['low'])}, {number(row['high'])}], {word}"
    )


def _word(row: Row, alpha: float) -> str:
    if row["holm"] is None or row["holm"] > alpha:
        return "inconclusive"
    return "better looks cost less" if row["rho"] > 0 else "better looks cost more"


def _verdict(words: Sequence[str], across: Row | None, alpha: float) -> str:
    shown = across is not None and across["p"] is not None and across["p"] <= alpha
    if shown and across is not None:
        first = "yes" if across["rho"] < 0 else "no, the reverse"
    else:
        first = "inconclusive"
    met = sorted({word for word in words if word != "inconclusive"})
    second = " and ".join(met) if met else "inconclusive"
    return f"From imputer to imputer {first}, from case to case {second}"


def _signed(value: float) -> str:
    return f"{'+' if value >= 0 else ''}{number(value)}"
