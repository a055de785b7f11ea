"""Whose lost scan to acquire, of a run: `acquisition.json`, from `counterfactual.tsv`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mmmed.errors import DataError
from mmmed.evaluation import acquisition
from mmmed.evaluation.acquisition import Lacking
from mmmed.evaluation.bootstrap import Resampling
from mmmed.evaluation.holm import holm
from mmmed.evaluation.predictions import sections
from mmmed.evaluation.scores import Floats, Scored
from mmmed.evaluation.study.plan import Plan
from mmmed.record import atomic, table
from mmmed.simulation.expected import expected_bits

NAME, COUNTERFACTUAL = "acquisition.json", "counterfactual.tsv"
VERSION = 1
Row = dict[str, Any]


def write_acquisition(
    run: Path,
    plan: Plan,
    *,
    classes: Sequence[str],
    positive: str | None,
    truth: Mapping[str, Any] | None,
) -> list[Row] | None:
    """Write and return a row per method, cohort, training and modality.

    None, and no file, where no outlook of a case that owns everything is told.

    Args:
        run: the run folder.
        plan: how intervals are made and at which level a claim stands.
        classes: names, in the order of the probabilities.
        positive: the class that scores are about.
        truth: `truth.json`; None where the data are not simulated.
    """
    if not (run / COUNTERFACTUAL).is_file():
        return None
    rows = _read(run / COUNTERFACTUAL, classes)
    if rows.empty:
        return None
    true = {"pet": expected_bits(truth)} if truth else {}
    resampling = Resampling.draw(
        sorted(set(rows["subject_id"])), draws=plan.interval.draws, seed=plan.interval.seed
    )
    found = [
        _row(head, models, resampling, plan)
        for head, models in _contests(rows, tuple(classes), positive, true)
    ]
    for measure in acquisition.MEASURES:
        family = [row["gains"][measure]["over_random"] for row in found]
        for one, adjusted in zip(family, holm([one["p"] for one in family]), strict=True):
            one["holm"] = adjusted
            one["verdict"] = _verdict(one, plan.alpha)
    atomic.write_json(
        run / NAME,
        {"mmmed-acquisition": VERSION, "shares": list(acquisition.SHARES), "rows": found},
    )
    return found


def _row(head: Row, models: Sequence[Lacking], resampling: Resampling, plan: Plan) -> Row:
    curves = acquisition.curves(models)
    gains = acquisition.gains(models, resampling, plan)
    return {
        **head,
        "models": len(models),
        "n": len({name for one in models for name in one.subject}),
        "curves": curves,
        "gains": gains,
        "most_of_it": {
            name: acquisition.most_of_it(curves["bits"][name], gains[name]["full"])
            for name in acquisition.MEASURES
        },
        "bits": acquisition.bits_told(models, resampling, plan),
    }


def _verdict(one: Mapping[str, Any], alpha: float) -> str:
    if one["low"] is None or one["low"] <= 0 <= one["high"] or one["holm"] > alpha:
        return "inconclusive"
    return "better here" if one["value"] > 0 else "worse here"


def _read(path: Path, classes: Sequence[str]) -> pd.DataFrame:
    """Test cases of known label and outlook that own the modality they are shown without."""
    frame = pd.DataFrame(table.read(path, table.COUNTERFACTUAL))
    columns = ["would_bits", *(f"{when}_{name}" for when in ("now", "then") for name in classes)]
    try:
        for name in columns:
            frame[name] = frame[name].replace(table.MISSING, "nan").astype(float)
    except (KeyError, ValueError) as error:
        raise DataError(
            f"{path}: holds no numbers of every class ({error}); run its jobs again"
        ) from error
    known = frame["label"].isin(classes) & np.isfinite(frame[columns].to_numpy()).all(axis=1)
    return pd.DataFrame(frame[known & (frame["split"] == "test")])


def _contests(
    rows: pd.DataFrame,
    classes: tuple[str, ...],
    positive: str | None,
    true: Mapping[str, Mapping[str, float]],
) -> Iterator[tuple[Row, list[Lacking]]]:
    """Who is compared with what: the models of one method, and the scan that is lost."""
    for (cohort, train), section in sections(rows):
        for (method, lost), part in section.groupby(["method", "lacking"], sort=True):
            models = [
                _lacking(one, classes, positive, true.get(str(lost), {}))
                for _, one in part.groupby(["fold", "seed"], sort=True)
            ]
            head = {"method": method, "cohort": cohort, "train": train, "lost": lost}
            yield head, models


def _lacking(
    rows: pd.DataFrame, classes: tuple[str, ...], positive: str | None, true: Mapping[str, float]
) -> Lacking:
    rows = rows.drop_duplicates("case_id")

    def scored(when: str) -> Scored:
        return Scored(
            label=_places(rows["label"], classes),
            probabilities=rows[[f"{when}_{name}" for name in classes]].to_numpy(dtype=np.float64),
            decision=_places(rows[f"decides_{when}"], classes),
            positive=None if positive is None else classes.index(positive),
        )

    cases = list(rows["case_id"])
    every = all(case in true for case in cases)
    known: Floats | None = np.array([true[case] for case in cases]) if every else None
    bits = rows["would_bits"].to_numpy(dtype=np.float64)
    return Lacking(tuple(rows["subject_id"]), scored("now"), scored("then"), bits, known)


def _places(names: pd.Series[str], classes: tuple[str, ...]) -> np.ndarray:
    return np.array([classes.index(name) for name in names], dtype=np.int64)
