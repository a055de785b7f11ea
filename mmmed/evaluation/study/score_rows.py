"""The scores of a study: a row per cell and measure, beside what was attainable."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from mmmed.evaluation import known
from mmmed.evaluation.bootstrap import Estimate
from mmmed.evaluation.calibration_error import FEWEST, calibration_error
from mmmed.evaluation.delong import delong
from mmmed.evaluation.predictions import Model
from mmmed.evaluation.scores import why_undefined
from mmmed.evaluation.study.attainable import Attainable
from mmmed.evaluation.study.cell import Cell
from mmmed.evaluation.study.measured import Bench, Measured
from mmmed.evaluation.study.resampled import MEASURES, positive_of
from mmmed.evaluation.study.rows import Row


def score_rows(
    cell: Cell, bench: Bench, attainable: Attainable, *, classes: Sequence[str], level: float
) -> Iterator[Row]:
    """A row per measure of a cell, the calibration error last."""
    measured = bench.measure(cell.models)
    head = {"method": cell.method, **cell.place.to_row()}
    counts = _counts(cell, classes)
    for measure in MEASURES:
        mean = measured.mean[measure]
        low, high = mean.interval(level) or (None, None)
        by_seed = measured.by_seed(measure)
        yield {
            **head,
            "measure": measure,
            "value": _number(mean.value),
            "low": low,
            "high": high,
            "null": None,
            "seed_spread": float(by_seed.std(ddof=1)) if len(by_seed) > 1 else None,
            **counts,
            **_undefined(measured, measure, classes, low),
            **_beside(cell, measure, mean, attainable, level=level),
        }
    yield {**head, "measure": "ece", **counts, **_calibration(cell.models)}


def model_rows(cell: Cell, *, classes: Sequence[str], level: float) -> Iterator[Row]:
    """A row per fitted model: its AUROC with DeLong's interval; nothing with more classes."""
    for model in cell.models:
        if model.scored.classes > 2:
            return
        k = positive_of(model.scored)
        hit = model.scored.label == k
        found = delong(hit, model.scored.probabilities[None, :, k])
        repeated = len(set(model.subject)) < len(model.subject)
        low, high = (None if repeated else found.interval(0, level=level)) or (None, None)
        error = float(np.sqrt(found.covariance[0, 0]))
        yield {
            "method": cell.method,
            **cell.place.to_row(),
            "fold": model.fold,
            "seed": model.seed,
            "n": len(hit),
            "n_positive": int(hit.sum()),
            "auroc": _number(float(found.area[0])),
            "error": None if repeated else _number(error),
            "low": low,
            "high": high,
            "reason": _why_no_interval(model, classes),
        }


def _why_no_interval(model: Model, classes: Sequence[str]) -> str | None:
    """Why the AUROC of a model, or its interval, is not stated; None where both are."""
    if why := why_undefined("auroc", model.scored, classes):
        return f"not estimable: {why}"
    repeated = len(set(model.subject)) < len(model.subject)
    return "several cases of one subject" if repeated else None


def _counts(cell: Cell, classes: Sequence[str]) -> Row:
    label = {
        case: int(index)
        for model in cell.models
        for case, index in zip(model.case, model.scored.label, strict=True)
    }
    k = positive_of(cell.models[0].scored)
    return {
        "n": len(label),
        "n_subjects": len({name for model in cell.models for name in model.subject}),
        "n_positive": sum(one == k for one in label.values()) if len(classes) == 2 else None,
        "models": len(cell.models),
        "seeds": len({model.seed for model in cell.models}),
    }


def _undefined(measured: Measured, measure: str, classes: Sequence[str], low: float | None) -> Row:
    """How many models have no such score, and why the first of them has none."""
    lacking = np.flatnonzero(~np.isfinite(measured.single[measure]))
    reason = None if low is not None else "most resamples lack a class"
    if len(lacking):
        model = measured.models[lacking[0]]
        why = why_undefined(measure, model.scored, classes)
        why = why or "not estimable: the predictions separate the classes or are all alike"
        reason = f"fold {model.fold}, seed {model.seed}: {why}"
    return {"undefined": len(lacking), "reason": reason}


def _beside(
    cell: Cell, measure: str, mean: Estimate, attainable: Attainable, *, level: float
) -> Row:
    oracle = attainable.best(cell.models)
    best = oracle.mean[measure] if oracle else None
    ceiling = attainable.ceiling(cell.place, measure)
    row: Row = {
        "oracle": _number(best.value) if best else None,
        "ceiling": ceiling.images,
        "ceiling_all": ceiling.both,
        "fraction": None,
        "fraction_low": None,
        "fraction_high": None,
        "remark": None,
    }
    if measure == "auroc":
        row["remark"] = known.remark(mean.value, ceiling, oracle=row["oracle"])
    if measure == "auroc" and best is not None and best.value > known.CHANCE:
        share = mean.above(known.CHANCE) / best.above(known.CHANCE)
        low, high = share.interval(level) or (None, None)
        row |= {"fraction": _number(share.value), "fraction_low": low, "fraction_high": high}
    return row


def _calibration(models: Sequence[Model]) -> Row:
    """The mean calibration error of models with cases enough, beside its null."""
    found = []
    for model in models:
        if model.scored.classes == 2:
            k = positive_of(model.scored)
            chance = model.scored.probabilities[:, k]
            found.append(calibration_error(chance, model.scored.label == k))
    stated = [one for one in found if one is not None]
    if not stated or len(stated) < len(models):
        why = f"a model was tested on fewer than {FEWEST} cases" if found else "two classes only"
        return {"value": None, "null": None, "reason": why}
    return {
        "value": float(np.mean([one.value for one in stated])),
        "null": float(np.mean([one.null for one in stated])),
        "reason": None,
    }


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None
