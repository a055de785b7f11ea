"""Which series of a DICOM Study becomes an item, and for every series why, or why not.

A series is fit for a modality when every `require` is true of it and no `exclude` is; one that is
not fit is told every reason, or the first `require` alone, without which the others say nothing.
Among those that are fit the preferences decide, the first one that tells two apart; where none
does, the lower series number, then the smaller UID, and the sentence says so. The order of the
series is no matter. Where the best turned out to be refused, the next best takes its place, and
both are told why.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import Field

from mmmed.cohorts.assembly import ModalityName
from mmmed.cohorts.pairing import Pairing
from mmmed.cohorts.series_rule import NumberFact, Rule, number, stated
from mmmed.config import Spec
from mmmed.modality import ItemKind
from mmmed.readers.dicom.facts import SeriesFacts

Sentence = Annotated[str, Field(min_length=1)]
_Identity = tuple[bool, int, str]
UNKNOWN = float("inf")
"""Rank of a series of which a preferred number cannot be known: behind the others."""


class Condition(Spec):
    """A rule and what is said of a series for which it decides against.

    Attributes:
        say: the end of a sentence about the series: `is a localiser`.
        rule: what is asked.
    """

    say: Sentence
    rule: Rule


class PreferTrue(Spec):
    """Series of which a rule is true come first."""

    kind: Literal["true"]
    say: Sentence
    rule: Rule

    def rank(self, facts: SeriesFacts) -> float:
        """The place of a series, the smallest first."""
        return 0.0 if self.rule.holds(facts) else 1.0


class PreferNumber(Spec):
    """Series with the lower or higher number come first, those with the same `step` being equal."""

    kind: Literal["low", "high"]
    say: Sentence
    fact: NumberFact
    step: Annotated[float, Field(gt=0)]

    def rank(self, facts: SeriesFacts) -> float:
        """The place of a series, the smallest first."""
        value = number(facts, self.fact)
        if value is None:
            return UNKNOWN
        steps = float(round(value / self.step))
        return steps if self.kind == "low" else -steps


Preference = Annotated[PreferTrue | PreferNumber, Field(discriminator="kind")]


class ModalityRules(Spec):
    """How the series of one modality is chosen.

    Attributes:
        require: must be true; `say` tells what the series is not.
        exclude: must not be true; `say` tells what it is.
        prefer: decides among several, the first that can; `say` tells what the better one has.
    """

    require: Annotated[tuple[Condition, ...], Field(min_length=1)]
    exclude: tuple[Condition, ...] = ()
    prefer: tuple[Preference, ...] = ()

    @property
    def kind(self) -> ItemKind:
        """Of the items: a series is a volume."""
        return "volume"


class SeriesChoice(Spec):
    """The rules for the modalities of a DICOM Study.

    Attributes:
        modalities: name -> how its series is chosen.
        pairing: how scans of several DICOM Studies make one case; None leaves each its own.
    """

    modalities: Annotated[dict[ModalityName, ModalityRules], Field(min_length=1)]
    pairing: Pairing | None = None


@dataclass(frozen=True)
class Verdict:
    """What became of one series for one modality.

    Attributes:
        study: Study Instance UID.
        uid: Series Instance UID.
        modality: the item it might have been.
        chosen: whether it is.
        why: one sentence.
        fit: whether it could be chosen.
        like: whether the first `require` is true of it: an MR, where that is what it asks.
    """

    study: str
    uid: str
    modality: str
    chosen: bool
    why: str
    fit: bool = False
    like: bool = True


Refused = Mapping[tuple[str, str, str], str]
"""(Study UID, Series UID, modality) -> why a series that is fit cannot be used all the same."""


def choose(
    series: Sequence[SeriesFacts],
    rules: SeriesChoice,
    *,
    refused: Refused = MappingProxyType({}),
) -> tuple[Verdict, ...]:
    """A verdict for every series and modality, study by study; at most one is chosen in each.

    Args:
        series: of one or several DICOM Studies, in any order.
        rules: the modalities and their rules.
        refused: what turned out when the best were read. Where nothing else is fit, one of these
            stays chosen, so that whoever asks for it is told the reason.
    """
    studies: dict[str, list[SeriesFacts]] = defaultdict(list)
    for one in series:
        studies[one.study].append(one)
    return tuple(
        verdict
        for _, found in sorted(studies.items())
        for modality, asked in rules.modalities.items()
        for verdict in _of_study(found, modality, asked, refused)
    )


def _of_study(
    series: Sequence[SeriesFacts], modality: str, rules: ModalityRules, refused: Refused
) -> list[Verdict]:
    unfit = {one.uid: _unfit(one, rules) for one in series}
    fit = sorted((one for one in series if unfit[one.uid] is None), key=_key(rules))
    faults = {one.uid: refused.get((one.study, one.uid, modality)) for one in fit}
    usable = [one for one in fit if faults[one.uid] is None] or fit
    verdicts = []
    for one in sorted(series, key=_identity):
        reason = unfit[one.uid]
        chosen = bool(usable) and one is usable[0]
        if reason is not None:
            why = f"not chosen for {modality}: {reason}"
        elif chosen:
            won = _won(usable, rules, of=len(fit))
            why = f"chosen for {modality}: {won}{_before(one, fit, faults)}"
        elif faults[one.uid] is not None:
            why = f"not chosen for {modality}: fit, but refused: {faults[one.uid]}"
        else:
            why = f"not chosen for {modality}: {_lost(one, usable[0], rules)}"
        like = rules.require[0].rule.holds(one)
        verdicts.append(Verdict(one.study, one.uid, modality, chosen, why, reason is None, like))
    return verdicts


def _before(
    chosen: SeriesFacts, fit: Sequence[SeriesFacts], faults: Mapping[str, str | None]
) -> str:
    """What was refused of the chosen series itself, or of those that were better."""
    if faults[chosen.uid] is not None:
        return f"; refused: {faults[chosen.uid]}"
    better = fit[: fit.index(chosen)]
    return "".join(f"; {_name(one)} was preferred and is refused" for one in better)


def _unfit(facts: SeriesFacts, rules: ModalityRules) -> str | None:
    """Every reason why a series is not fit; None where it is."""
    lacking = [one for one in rules.require if not one.rule.holds(facts)]
    if rules.require[0] in lacking:
        lacking = lacking[:1]
        barred = []
    else:
        barred = [one for one in rules.exclude if one.rule.holds(facts)]
    told = [f"{one.say} ({stated(facts, one.rule.asked)})" for one in (*barred, *lacking)]
    return ", ".join(told) or None


def _key(rules: ModalityRules) -> Callable[[SeriesFacts], tuple[list[float], _Identity]]:
    return lambda facts: ([one.rank(facts) for one in rules.prefer], _identity(facts))


def _identity(facts: SeriesFacts) -> _Identity:
    return facts.number is None, facts.number or 0, facts.uid


def _won(fit: Sequence[SeriesFacts], rules: ModalityRules, *, of: int) -> str:
    if len(fit) == 1:
        return "the only series that is fit" if of == 1 else "the only one left of those that fit"
    return f"the best of {len(fit)}; against {_name(fit[1])} {_difference(fit[0], fit[1], rules)}"


def _lost(facts: SeriesFacts, best: SeriesFacts, rules: ModalityRules) -> str:
    return f"fit, but {_name(best)} {_difference(best, facts, rules)}"


def _difference(better: SeriesFacts, other: SeriesFacts, rules: ModalityRules) -> str:
    """What the better one has, after the first preference that tells the two apart."""
    for one in rules.prefer:
        if one.rank(better) != one.rank(other):
            return one.say + _figures(one, better, other)
    same = "is the same by every preference"
    if better.number != other.number:
        return f"{same}: the lower series number counts"
    return f"{same}: the smaller UID counts"


def _figures(one: Preference, better: SeriesFacts, other: SeriesFacts) -> str:
    if isinstance(one, PreferTrue):
        return ""
    values = [number(facts, one.fact) for facts in (better, other)]
    shown = ["unknown" if value is None else f"{value:.4g}" for value in values]
    return f" ({one.fact} {shown[0]} against {shown[1]})"


def _name(facts: SeriesFacts) -> str:
    place = "without a number" if facts.number is None else str(facts.number)
    return f"series {place} ({facts.description or 'no description'})"
