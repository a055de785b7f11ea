"""What the effects on absence say, in sentences that claim no more than data can."""

from __future__ import annotations

from collections.abc import Sequence

from mmmed.evaluation.dependence import Effect

ERROR = 0.05
"""Holm's p value below which absence is said to depend on a factor."""


def sentences(effects: Sequence[Effect]) -> list[str]:
    """A sentence per modality, then how many comparisons were made and what none can tell."""
    if not effects:
        return []
    lines = [_told(name, effects) for name in dict.fromkeys(one.modality for one in effects)]
    count = len({(one.modality, one.factor) for one in effects if one.p is not None})
    if count:
        lines.append(
            f"absence: {count} comparison(s), p adjusted by Holm, {ERROR:.0%} in all; intervals "
            "are 95 % each and not adjusted"
        )
    lines.append(
        "absence: that it depends on what the missing scan would have shown (MNAR) cannot be "
        "excluded by data"
    )
    return lines


def _told(modality: str, effects: Sequence[Effect]) -> str:
    own = [one for one in effects if one.modality == modality]
    if all(one.absent == 0 for one in own):
        return f"{modality}: nobody lacks it; nothing to compare"
    tested = dict.fromkeys(one.factor for one in own if one.holm is not None)
    strong = [one for one in own if one.holm is not None and one.holm < ERROR]
    untested = dict.fromkeys(one.factor for one in own if one.factor not in tested)
    rest = f"; not compared: {', '.join(untested)} (too few, or all alike)" if untested else ""
    if strong:
        found = [_effect(one) for one in _first_measures(strong)]
        return f"{modality}: absence depends on {'; '.join(found)}{rest}"
    if not tested:
        return f"{modality}: too few to say what absence depends on{rest}"
    return f"{modality}: no sign against MCAR in {', '.join(tested)}{rest}"


def _first_measures(effects: Sequence[Effect]) -> list[Effect]:
    first: dict[str, Effect] = {}
    for one in effects:
        first.setdefault(one.factor, one)
    return list(first.values())


def _effect(one: Effect) -> str:
    bounds = "" if one.low is None else f" [{one.low:.2f}, {one.high:.2f}]"
    number = "" if one.value is None else f" {one.value:.2f}{bounds}"
    return f"{one.factor} ({one.measure} {one.groups}{number}, p = {one.holm:.2g})"
