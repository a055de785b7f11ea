"""What a rule makes of a case: a class, an exclusion, or nothing known.

A verdict speaks of one case and gives its reason; it never guesses: follow-up that is too short,
reversion, and an end reached at an unknown time make no class.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mmmed.cohorts.label import AtVisit, Conversion, Label


@dataclass(frozen=True)
class Seen:
    """One visit of a subject: its month, None where that is unknown, and its diagnosis, if any."""

    month: float | None
    diagnosis: str | None


@dataclass(frozen=True)
class Verdict:
    """What is known of a case.

    Attributes:
        kind: `class`, `excluded` (on purpose), `missing` (nothing is said), `unknown` (a word that
            the rule does not know).
        text: the class, or the unknown word.
        reason: why there is no class.
    """

    kind: Literal["class", "excluded", "missing", "unknown"]
    text: str = ""
    reason: str = ""


def judge(case: Seen, visits: Sequence[Seen], label: Label) -> Verdict:
    """The verdict on a case.

    Args:
        case: its own visit.
        visits: all visits of its subject, in any order.
        label: classes, exclusions and rule.
    """
    told = case.diagnosis
    if told is None or label.is_missing(told):
        return Verdict("missing", reason=f"has no {label.column}; left out")
    if told in label.exclude:
        return Verdict("excluded", reason=f"{label.column} is {told}")
    if told not in label.diagnoses:
        return Verdict("unknown", told)
    if isinstance(label.rule, AtVisit):
        return Verdict("class", told)
    return _converts(case, visits, label, label.rule)


def _converts(case: Seen, visits: Sequence[Seen], label: Label, rule: Conversion) -> Verdict:
    if case.diagnosis != rule.start:
        return Verdict("excluded", reason=f"{label.column} is {case.diagnosis}, not {rule.start}")
    if case.month is None:
        return Verdict("missing", reason="has neither month nor date of its visit; left out")
    later = sorted(
        (one.month - case.month, label.meaning(one.diagnosis))
        for one in visits
        if one.month is not None
        and one.month > case.month
        and one.diagnosis is not None
        and not label.is_missing(one.diagnosis)
    )
    for months, diagnosis in later:
        if diagnosis not in (*rule.stages, *label.exclude):
            return Verdict("unknown", diagnosis)
        if diagnosis in label.exclude and months <= rule.months + rule.tolerance:
            return Verdict("excluded", reason=f"{label.column} is {diagnosis} at {months:g} months")
    staged = [(months, rule.stages.index(one)) for months, one in later if one in rule.stages]
    return _followed(staged, label, rule)


def _followed(later: Sequence[tuple[float, int]], label: Label, rule: Conversion) -> Verdict:
    """The verdict on a case in the starting stage, by (months since, stage) of later visits."""
    stable, progressive = label.classes
    start, end = rule.stages.index(rule.start), rule.stages.index(rule.end)
    horizon = [one for one in later if one[0] <= rule.months + rule.tolerance]
    reached = next((months for months, stage in horizon if stage >= end), None)
    back = next(
        (
            (months, stage)
            for months, stage in horizon
            if stage < start or (reached is not None and months > reached and stage < end)
        ),
        None,
    )
    if back is not None and rule.reverters == "exclude":
        reason = f"reverter: {rule.stages[back[1]]} at {back[0]:g} months"
        return Verdict("excluded", reason=reason)
    if reached is not None:
        return Verdict("class", progressive)
    beyond = next((one for one in later if one[0] >= rule.months - rule.tolerance), None)
    last = max((months for months, _ in later), default=0.0)
    if beyond is None:
        reason = f"followed for {last:g} of {rule.months:g} months without {rule.end}"
        return Verdict("excluded", reason=reason)
    if beyond[1] >= end:
        before = max((months for months, _ in horizon), default=0.0)
        reason = (
            f"{rule.end} between {before:g} and {beyond[0]:g} months: unknown at {rule.months:g}"
        )
        return Verdict("excluded", reason=reason)
    return Verdict("class", stable)
