"""What an imputed modality does to the diagnosis, and to how far probabilities can be believed.

gap       score of an entrant without the modality minus that of the reference in the same place
rival     of those who do not impute, the one that is hardest to beat: imputing is worth something
          only if it beats them all
regained  the share of the true modality's worth that imputing gives back: (without - reference
          without) / (complete - reference without); stated where the denominator is shown to be
          above 0
damage    a calibration figure without the modality minus the same complete: of the same model, and
          beside the reference
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from mmmed.evaluation.arena.contest import Contest, Entrant
from mmmed.evaluation.bootstrap import Resampling
from mmmed.evaluation.study.comparison import Comparison, hardness
from mmmed.evaluation.study.gap import find_gap, percentiles
from mmmed.evaluation.study.measured import Bench
from mmmed.evaluation.study.plan import Plan

CALIBRATION = ("calibration_slope", "calibration_intercept", "brier")

Row = dict[str, Any]


@dataclass(frozen=True)
class Terms:
    """How contests are measured.

    Attributes:
        resampling: one draw of subjects for all that is measured.
        bench: measures sets of models under it.
        measure: the headline.
        plan: level of the intervals, margin.
        reference: the entrant others are compared with; None where all impute.
    """

    resampling: Resampling
    bench: Bench
    measure: str
    plan: Plan
    reference: str | None


def downstream_row(contest: Contest, method: str, terms: Terms) -> Row:
    """Scores with and without the modality, the gap to the reference, the share regained."""
    bench, measure, level = terms.bench, terms.measure, terms.plan.interval.level
    cell = contest.without[method]
    row: Row = {"n": len({case for model in cell.models for case in model.case})}
    row["models"] = len(cell.models)
    for name, side in (("complete", contest.complete[method]), ("without", cell)):
        mean = bench.measure(side.models).mean[measure]
        low, high = mean.interval(level) or (None, None)
        row |= {name: _known(mean.value), f"{name}_low": low, f"{name}_high": high}
    other = _reference(contest, method, terms)
    if other is None:
        return row
    found = compare(contest, method, other, terms).gap
    named = {name: getattr(found, name) for name in ("low", "high", "p_claim", "reason")}
    row |= {"gap": found.value, **{f"gap_{name}": value for name, value in named.items()}}
    return row | _regained(contest, method, other, terms)


def rivalry(
    contest: Contest, method: str, entrants: Sequence[Entrant], terms: Terms
) -> Comparison | None:
    """An imputer against the hardest of those who do not impute; None where all impute."""
    plain = [one.method for one in entrants if one.imputer is None]
    met = [compare(contest, method, name, terms) for name in plain if name in contest.without]
    return max(met, key=hardness) if met else None


def compare(contest: Contest, method: str, other: str, terms: Terms) -> Comparison:
    """Two entrants without the modality, in the headline measure."""
    first, second = contest.without[method], contest.without[other]
    sets = terms.bench.alike(first.models, second.models)
    sides = [terms.bench.measure(one) for one in sets]
    gap = find_gap(sides[0], sides[1], terms.measure, plan=terms.plan)
    return Comparison(
        "imputing", method, first.place, other, second.place, terms.measure, gap, (sets[0], sets[1])
    )


def calibration_rows(contest: Contest, method: str, terms: Terms) -> Iterator[Row]:
    """A row per figure: complete, without, the damage, and the gap to the reference."""
    complete, without = terms.bench.alike(
        contest.complete[method].models, contest.without[method].models
    )
    other = _reference(contest, method, terms)
    before, after = terms.bench.measure(complete), terms.bench.measure(without)
    for measure in CALIBRATION:
        damage = asdict(find_gap(after, before, measure, plan=terms.plan))
        row: Row = {
            "method": method,
            **contest.to_row(),
            "measure": measure,
            "complete": _known(before.mean[measure].value),
            "without": _known(after.mean[measure].value),
            **{
                f"damage{_tail(name)}": damage[name] for name in ("value", "low", "high", "p_claim")
            },
            "reason": damage["reason"],
        }
        if other is not None:
            sets = terms.bench.alike(contest.without[method].models, contest.without[other].models)
            sides = [terms.bench.measure(one) for one in sets]
            gap = asdict(find_gap(sides[0], sides[1], measure, plan=terms.plan))
            row |= {f"gap{_tail(name)}": gap[name] for name in ("value", "low", "high", "p_claim")}
        yield row


def _regained(contest: Contest, method: str, other: str, terms: Terms) -> Row:
    """The share regained, on the folds, seeds and cases that all three sets have."""
    sets = terms.bench.alike(
        contest.without[method].models,
        contest.without[other].models,
        contest.complete[method].models,
    )
    nothing: Row = {"regained": None, "regained_low": None, "regained_high": None}
    if not sets[0]:
        return nothing | {"regained_reason": "no fold, seed and case in common"}
    imputed, plain, complete = (terms.bench.measure(one).mean[terms.measure] for one in sets)
    worth = complete - plain
    level = terms.plan.interval.level
    bounds = percentiles(worth, level)
    if bounds is None or bounds[0] <= 0:
        return nothing | {
            "regained_reason": f"the true {contest.lost} is not shown to be worth anything to it"
        }
    share = (imputed - plain) / worth
    low, high = percentiles(share, level) or (None, None)
    return {
        "regained": _known(share.value),
        "regained_low": low,
        "regained_high": high,
        "regained_reason": None,
    }


def _reference(contest: Contest, method: str, terms: Terms) -> str | None:
    """Whom a method is compared with; None for the reference itself, and where there is none."""
    other = terms.reference
    return None if other is None or other == method or other not in contest.without else other


def _tail(name: str) -> str:
    return "" if name == "value" else f"_{name}"


def _known(value: float) -> float | None:
    return value if value == value else None
