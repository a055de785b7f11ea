"""What was masked, how, and how much of it in the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mmmed.audit import words
from mmmed.audit.prose.record import Record, stated
from mmmed.record.table import MISSING

MECHANISMS = {
    "mcar": "completely at random (MCAR)",
    "mar": "at random given recorded covariates (MAR)",
    "mnar": "depending on what no model saw (MNAR)",
    "by-label": "depending on the label",
    "list": "as a table lists them",
}


def told(record: Record) -> Iterator[str]:
    """Protocols and realised counts, of training and of test."""
    study = record.study
    for part, protocols in (("training and validation", study.train), ("test", study.test)):
        said = "; ".join(map(_protocol, protocols)) or "not recorded"
        yield f"Protocols of the {part} parts: {said}."
    if not record.presence:
        yield "What was hidden in the end was not recorded."
        return
    yield (
        "A rate is the share of the cases that own the scan and something else, and so can spare "
        "it, whose copy was hidden; no case was left with nothing."
    )
    folds = sorted({row["fold"] for row in record.presence})
    about = f" in fold {folds[0]} (of {len(folds)}; the others stand in presence.tsv)"
    yield f"Realised counts{about if len(folds) > 1 else ''}: {'; '.join(_realised(record))}."
    yield from _shared(record)


def _protocol(protocol: Mapping[str, Any]) -> str:
    """One protocol in words."""
    kind, name = str(protocol.get("kind")), protocol.get("name")
    called = f"{name}: " if name and name != kind else ""
    if kind == "complete":
        return f"{called}nothing was hidden"
    if kind == "every-pattern":
        return "every case was scored under every pattern it owns, the rest hidden (forced)"
    if kind == "together":
        inner = [one for one in protocol.get("protocols", ()) if isinstance(one, Mapping)]
        return f"{called}together, " + " and ".join(map(_protocol, inner))
    how = MECHANISMS.get(kind, kind)
    depends = _dependence(protocol)
    drawn = f" at rate {_rates(protocol.get('rate'))}, seed {stated(protocol.get('seed'))}"
    what = f"{called}{stated(protocol.get('modality'))} was hidden {how}{depends}"
    return what if kind == "list" else what + drawn


def _dependence(protocol: Mapping[str, Any]) -> str:
    slopes = protocol.get("slopes")
    if isinstance(slopes, Mapping):
        told_slopes = ", ".join(f"{name} {value:+g}" for name, value in slopes.items())
        return (
            f", with log-odds slopes {told_slopes} per standard deviation in the part (as it is, "
            "of a category)"
        )
    if "slope" in protocol:
        column = f" of {protocol['column']}" if protocol.get("column") else ""
        return f", with log-odds slope {stated(protocol['slope'])}{column}"
    return ""


def _rates(rate: Any) -> str:
    rates = rate if isinstance(rate, list) else [rate]
    return ", ".join(f"{one:.0%}" if isinstance(one, int | float) else stated(one) for one in rates)


def _realised(record: Record) -> Iterator[str]:
    """What each protocol left out of each part of the first fold."""
    for train, rows in _by_training(record.presence).items():
        for one in words.absences(rows):
            if one.hiding.hidden or one.hiding.absent:
                rate = "" if one.rate is None else f" {_percent(one.rate)}"
                name = f"{one.protocol} {train}" if train else one.protocol
                yield f"{name}{rate}, {one.hiding}"


def _by_training(
    presence: Sequence[Mapping[str, str]],
) -> dict[str, list[Mapping[str, str]]]:
    """Rows by the training that hides; none (empty) for what is hidden in test."""
    found: dict[str, list[Mapping[str, str]]] = {}
    for row in presence:
        train = row.get("train", MISSING)
        found.setdefault("" if train == MISSING else train, []).append(row)
    return dict(sorted(found.items(), key=lambda item: not item[0]))


def _percent(rate: str) -> str:
    try:
        return f"{float(rate):.0%}"
    except ValueError:
        return rate


def _shared(record: Record) -> Iterator[str]:
    """Whether every method met the same masks, as the settings of the jobs tell."""
    masks: dict[tuple[str, str], set[str]] = {}
    for job in record.jobs:
        place = (str(job.get("fold")), str(job.get("train")))
        masks.setdefault(place, set()).add(
            f"{job.get('splits')} {job.get('shown')} {job.get('views')}"
        )
    if masks and all(len(found) == 1 for found in masks.values()):
        yield (
            f"Within a fold and training, all jobs ({len(record.jobs)} in the study) had the same "
            "splits, masks and test views: their settings hold the same SHA-256."
        )
    elif masks:
        yield "Splits, masks or test views differ between the jobs of a fold."
