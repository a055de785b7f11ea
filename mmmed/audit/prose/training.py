"""Methods, their budgets and how they were tuned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mmmed.audit.prose.record import UNKNOWN, Record, stated

BUDGET = ("steps", "batch", "learning_rate", "weight_decay", "warmup", "patience", "precision")


def told(record: Record) -> Iterator[str]:
    """Methods, the budget that all of them had, seeds, and tuning."""
    study = record.study
    names = "; ".join(map(_method, study.methods)) or UNKNOWN
    yield f"Methods, in the order of the study: {names}."
    training = study.part("training")
    if training:
        budget = ", ".join(
            f"{key.replace('_', ' ')} {stated(training.get(key, UNKNOWN))}"
            for key in BUDGET
            if training.get(key) is not None
        )
        yield f"Every method had the same budget: {budget}."
    else:
        yield f"The budget of training was {UNKNOWN}."
    seeds = study.values.get("seeds")
    yield (
        f"Seeds of training (initial weights, order, dropout, augmentation): {stated(seeds)}; "
        f"one job per method, train protocol, fold and seed, {len(record.jobs)} in all."
    )
    yield _tuning(study.values.get("tune"))
    yield from _calibration(study.part("evaluation"))


def _method(method: Mapping[str, Any]) -> str:
    kind, name = method.get("kind"), method.get("name")
    imputer = method.get("imputer")
    how = f", imputer {stated(imputer.get('kind'))}" if isinstance(imputer, Mapping) else ""
    return f"{name} ({kind}{how})" if how or name != kind else str(name)


def _tuning(tune: Any) -> str:
    if not isinstance(tune, Mapping):
        return "No hyper-parameter was tuned within the study: all stand in study.yaml as given."
    chosen = ", ".join(f"{key} {stated(value)}" for key, value in tune.items() if key != "trials")
    return (
        f"Hyper-parameters were tuned with {stated(tune.get('trials'))} trials per method, chosen "
        f"on the validation part under the train protocol ({chosen})."
    )


def _calibration(evaluation: Mapping[str, Any]) -> Iterator[str]:
    if evaluation:
        yield (
            "Probabilities were calibrated on the calibration part; threshold "
            f"{stated(evaluation.get('threshold'))}, conformal sets at level "
            f"{stated(evaluation.get('coverage'))}."
        )
