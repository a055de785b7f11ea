"""What a family of comparisons allows to be said.

better, worse             not 0 for other subjects and other trainings, adjusted over the family
better here, worse here   not 0 for other subjects under these models, but other trainings could
                          turn it, or folds that were trained once say nothing of them
no worse                  above -margin, adjusted over the family, and not shown to be better
inconclusive              none of these: the study was too small to tell
not estimable             there is no number

`worse` may stand with a loss shown to be smaller than the margin: the sentence says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mmmed.evaluation.holm import holm
from mmmed.evaluation.study.comparison import Comparison
from mmmed.evaluation.study.gap import smallest_seen
from mmmed.evaluation.study.plan import Plan
from mmmed.evaluation.text import number


@dataclass(frozen=True)
class Verdict:
    """On one comparison.

    Attributes:
        family: comparisons adjusted together.
        holm: adjusted `p_claim`; None where there is no number.
        holm_no_worse: adjusted `p_no_worse`.
        holm_equal: adjusted `p_equal`.
        seen: the smallest gap that the study could have seen as the first of its family.
        word: see the module.
    """

    family: int
    holm: float | None
    holm_no_worse: float | None
    holm_equal: float | None
    seen: float | None
    word: str


def judge(family: Sequence[Comparison], plan: Plan) -> list[Verdict]:
    """The verdicts on comparisons that are adjusted together."""
    known = [one for one in family if one.gap.value is not None]
    count = len(known)
    claim = iter(holm([_given(one.gap.p_claim) for one in known]))
    subjects = iter(holm([_given(one.gap.p) for one in known]))
    no_worse = iter(holm([_given(one.gap.p_no_worse) for one in known]))
    equal = iter(holm([_given(one.gap.p_equal) for one in known]))
    verdicts = []
    for one in family:
        value, error = one.gap.value, one.gap.error
        if value is None or error is None:
            verdicts.append(Verdict(count, None, None, None, None, "not estimable"))
            continue
        adjusted, safe = next(claim), next(no_worse)
        word = _word(one, adjusted, next(subjects), safe=safe <= plan.alpha, alpha=plan.alpha)
        seen = smallest_seen(error, alpha=plan.alpha / count, power=plan.power)
        verdicts.append(Verdict(count, adjusted, safe, next(equal), seen, word))
    return verdicts


def sentence(
    one: Comparison, verdict: Verdict, *, plan: Plan, title: str, oracle: float | None
) -> str:
    """The verdict in words, for the report; `oracle` is the gap of the best possible reader."""
    gap = one.gap
    sides = f"{_side(one.method, one, 0)} against {_side(one.other_method, one, 1)}"
    if gap.value is None:
        return f"{sides}: {verdict.word} ({gap.reason})"
    bounds = "" if gap.low is None else f" [{number(gap.low)}, {number(gap.high)}]"
    told = f"{sides}: {title} {_signed(gap.value)}{bounds}"
    best = "" if oracle is None else f"; the best possible reader: {_signed(oracle)}"
    return f"{told}; {_meaning(one, verdict, plan)} (Holm over {verdict.family}){best}"


def _word(one: Comparison, claim: float, subjects: float, *, safe: bool, alpha: float) -> str:
    direction = "better" if (one.gap.value or 0.0) > 0 else "worse"
    if claim <= alpha and one.gap.training is not None:
        return direction
    if subjects <= alpha:
        return f"{direction} here"
    return "no worse" if safe else "inconclusive"


def _meaning(one: Comparison, verdict: Verdict, plan: Plan) -> str:
    p = f"p = {verdict.holm:.2g}"
    margin = number(plan.margin)
    if verdict.word.endswith("here"):
        why = _trained_once(one) or "other trainings could turn it"
        return f"{verdict.word}, with these trained models ({why}), {p}"
    if verdict.word == "worse" and (verdict.holm_no_worse or 0.0) <= plan.alpha:
        return f"worse, {p}, but by less than {margin}"
    if verdict.word == "no worse":
        once = _trained_once(one)
        models = f", with these trained models ({once})" if once else ""
        return f"no worse by {margin}, p = {verdict.holm_no_worse:.2g}{models}"
    if verdict.word == "inconclusive":
        return f"inconclusive, {p}: a gap below {number(verdict.seen)} was hardly to be seen"
    return f"{verdict.word}, {p}"


def _trained_once(one: Comparison) -> str | None:
    """Why nothing is known of other trainings; None where it is."""
    if one.gap.training is not None:
        return None
    return "one seed" if one.gap.seeds == 1 else "no fold has two seeds"


def _side(method: str, one: Comparison, which: int) -> str:
    place = one.other_place if which else one.place
    if one.kind in ("area", "slope"):
        where = f"{place.protocol}, all rates"
    elif place.rate >= 0:
        where = f"{place.protocol} {place.rate:.0%}"
    else:
        where = place.pattern
    told = [where, *(name for name in (place.train, place.cohort) if name)]
    return f"{method} ({'; '.join(told)})"


def _signed(value: float) -> str:
    return f"{'+' if value >= 0 else ''}{number(value)}"


def _given(p: float | None) -> float:
    return 1.0 if p is None else p
