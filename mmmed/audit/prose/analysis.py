"""Measures, intervals and tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mmmed.audit.prose.record import Record, stated
from mmmed.audit.statistics import Statistics
from mmmed.evaluation.text import number

FAMILIES = {
    "methods": "one method against another in one place",
    "area": "areas under robustness curves",
    "slope": "slopes of robustness curves",
    "cost": "less against complete, within a method",
    "training": "trained with hidden scans against trained complete",
    "gain": "all modalities against the best reader with fewer",
}


def told(record: Record) -> Iterator[str]:
    """How numbers were made; of a run without statistics only what its study states."""
    found = record.statistics
    if found is None:
        interval = record.study.part("evaluation").get("interval")
        yield f"Intervals: {stated(interval)}. Tests between methods were not recorded."
        return
    plan = found.plan
    yield (
        f"The main measure was {found.title}, computed inside each fitted model (fold x seed) and "
        "averaged, never pooled over models."
    )
    yield (
        f"{_interval(plan.get('interval'))} The same draws of subjects were applied to all folds, "
        "seeds, methods and patterns, so that differences are paired; intervals speak of other "
        "subjects, and the spread over seeds stands beside them."
    )
    yield (
        f"Comparisons were judged in families ({_families(found)}), adjusted by Holm within each "
        f"at alpha {stated(plan.get('alpha'))}; a claim about methods takes other trainings into "
        "account as well as other subjects."
    )
    against = plan.get("against")
    who = f"Every method was compared with {against}." if against else "Every pair was compared."
    yield (
        f"{who} `No worse` is a one-sided test with a margin of {number(plan.get('margin'))}; the "
        f"smallest difference that could have been seen is stated at power "
        f"{stated(plan.get('power'))}. Within one fitted model, intervals of AUROC are DeLong's."
    )


def _interval(interval: Any) -> str:
    if not isinstance(interval, Mapping):
        return "How intervals were made was not recorded."
    level = interval.get("level")
    said = f"{level:.0%}" if isinstance(level, float) else stated(level)
    return (
        f"Intervals ({said}) are from a bootstrap of "
        f"{stated(interval.get('draws'))} draws of subjects (seed {stated(interval.get('seed'))})."
    )


def _families(found: Statistics) -> str:
    kinds = [row["kind"] for row in found.comparisons]
    return ", ".join(
        f"{words}: {kinds.count(kind)}" for kind, words in FAMILIES.items() if kind in kinds
    )
