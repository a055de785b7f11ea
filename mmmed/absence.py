"""Seeded draws of what is not shown: which case hides which modality.

owned      what a case has on disk
shown      the part of it a protocol leaves to be seen; never empty
eligible   a case that shows the modality and something else, and so can spare it
protocol   a seeded rule from a table of cases to what is shown; `mmmed.mechanism` has their grammar

Every mechanism is the same draw: each eligible case scores `slope * evidence + logistic noise`,
and the `round(rate * n)` highest scores of a split are hidden (halves are rounded up). That is a
logistic model of absence whose intercept is solved so that the realised count is exact. The noise
of a case is keyed by (seed, modality, case) and numbers are standardised inside the split, so a
draw depends neither on the order of the table nor on other splits. Where one modality is hidden,
the cases of a lower rate are among those of a higher one.
"""

from __future__ import annotations

import csv
import hashlib
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress
from pathlib import Path

import numpy as np
import pandas as pd

from mmmed.config import nearest
from mmmed.errors import DataError, StudyError
from mmmed.mechanism import (
    ByLabel,
    Complete,
    Listed,
    Mar,
    Mechanism,
    Mnar,
    Single,
)
from mmmed.modality import Pattern, natural_sorted


@dataclass(frozen=True)
class Hiding:
    """What one protocol did to one modality in one split, in counts.

    Attributes:
        cases: cases of the split.
        absent: cases that do not own the modality.
        eligible: cases that own it and show something else.
        hidden: eligible cases whose copy is hidden.
        already: cases whose copy an earlier protocol had hidden.
    """

    split: str
    modality: str
    cases: int
    absent: int
    eligible: int
    hidden: int
    already: int = 0

    @property
    def sentence(self) -> str:
        """`pet: 41 naturally absent, 130 of 259 hidden, 171 of 300 (57 %) without`."""
        without = self.absent + self.already + self.hidden
        share = f"{100 * without / self.cases:.0f} %" if self.cases else "none"
        return (
            f"{self.modality}: {self.absent} naturally absent, {self.hidden} of {self.eligible} "
            f"hidden, {without} of {self.cases} ({share}) without"
        )

    def __str__(self) -> str:
        return f"{self.split} {self.sentence}"


@dataclass(frozen=True)
class Shown:
    """What a protocol leaves: boolean (cases x modalities), indexed like the owned table."""

    table: pd.DataFrame
    hidings: tuple[Hiding, ...]

    def pattern(self, case: str) -> Pattern:
        """What `case` shows."""
        return self._patterns[case]

    @cached_property
    def _patterns(self) -> dict[str, Pattern]:
        rows = zip(self.table.index, self.table.to_numpy(dtype=bool), strict=True)
        return {str(case): Pattern.of(compress(self.table.columns, row)) for case, row in rows}


def draw(
    protocols: Sequence[Single],
    owned: pd.DataFrame,
    *,
    split: pd.Series,
    covariates: pd.DataFrame,
    label: pd.Series | None = None,
) -> Shown:
    """What the cases show after the protocols, applied one after the other.

    Args:
        protocols: at single rates (see `at_rate`); `every-pattern` is not a draw.
        owned: boolean (cases x modalities), index `case_id`.
        split: the split of each case, same cases; rates are met inside each.
        covariates: what `mar` and `mnar` read, of the same cases or more.
        label: class index per case, for `by-label` alone.

    Raises:
        StudyError: a protocol names a modality or a column that the table lacks.
        DataError: a case owns nothing, has no split, or lacks a covariate or label that is
            needed; a list does not fit the cases.
    """
    _check_cases(owned, split)
    # sorted, so that sums over a split have the same bits for any order of the table
    parts = {name: sorted(split.index[split == name]) for name in natural_sorted(split.unique())}
    known = _Known(covariates, label)
    shown = owned.copy()
    hidings: list[Hiding] = []
    for protocol in protocols:
        for modality in _modalities(protocol, owned):
            for name, cases in parts.items():
                before = shown.loc[cases]
                eligible = _eligible(before, modality)
                hidden = _hidden(protocol, modality, cases, eligible, known)
                shown.loc[hidden, modality] = False
                owners = int(owned.loc[cases, modality].sum())
                hidings.append(
                    Hiding(
                        split=name,
                        modality=modality,
                        cases=len(cases),
                        absent=len(cases) - owners,
                        eligible=len(eligible),
                        hidden=len(hidden),
                        already=owners - int(before[modality].sum()),
                    )
                )
    return Shown(table=shown, hidings=tuple(hidings))


def logistic_noise(seed: int, modality: str, cases: Sequence[str]) -> np.ndarray:
    """One standard logistic value per case (n,), a pure function of (seed, modality, case)."""
    keys = (f"{seed}\0{modality}\0{case}" for case in cases)
    uniform = [_uniform(hashlib.sha256(key.encode()).digest()) for key in keys]
    return np.array([math.log(u) - math.log1p(-u) for u in uniform])


@dataclass(frozen=True, eq=False)
class _Known:
    """What a mechanism may look at."""

    covariates: pd.DataFrame
    label: pd.Series | None


def _check_cases(owned: pd.DataFrame, split: pd.Series) -> None:
    twice = owned.index[owned.index.duplicated()]
    if len(twice):
        raise DataError(f"case {twice[0]} stands twice in the cohort")
    empty = owned.index[~owned.any(axis=1)]
    if len(empty):
        raise DataError(f"case {empty[0]} owns no modality; leave it out of the cohort")
    strays = owned.index.symmetric_difference(split.dropna().index)
    if len(strays):
        raise DataError(f"case {strays[0]} is not both in the cohort and in one split")


def _modalities(protocol: Single, owned: pd.DataFrame) -> list[str]:
    """What a protocol hides, in the order it is hidden."""
    if isinstance(protocol, Complete):
        return []
    if isinstance(protocol, Listed):
        listed = _listed(protocol.file)
        strangers = sorted({case for case, _ in listed} - set(owned.index))
        if strangers:
            raise DataError(f"{protocol.file}: {strangers[0]} is not among the cases drawn from")
        names = natural_sorted({modality for _, modality in listed})
    elif not isinstance(protocol, Mechanism):
        raise StudyError(f"protocol {protocol.kind}: is no draw; it belongs to the test protocols")
    elif protocol.modality == "any":
        names = natural_sorted(owned.columns)
    else:
        named = protocol.modality
        names = [named] if isinstance(named, str) else list(named)
    unknown = [name for name in names if name not in owned.columns]
    if unknown:
        raise StudyError(
            f"protocol {protocol.kind}: modality {unknown[0]!r} is not in the cohort"
            f"{nearest(unknown[0], list(owned.columns))}"
        )
    return names


def _eligible(shown: pd.DataFrame, modality: str) -> list[str]:
    """The cases that show the modality and something else."""
    return [str(case) for case in shown.index[shown[modality] & (shown.sum(axis=1) > 1)]]


def _hidden(
    protocol: Single, modality: str, cases: list[str], eligible: list[str], known: _Known
) -> list[str]:
    """The cases of a split whose copy of the modality a protocol hides."""
    if isinstance(protocol, Complete):
        return []
    if isinstance(protocol, Listed):
        return _named(protocol.file, modality, cases, eligible)
    if isinstance(protocol.rate, tuple):
        raise StudyError(f"protocol {protocol.kind}: a draw has one rate, not {protocol.rate}")
    evidence = _evidence(protocol, cases, known)[eligible].to_numpy()
    score = evidence + logistic_noise(protocol.seed, modality, eligible)
    count = math.floor(protocol.rate * len(eligible) + 0.5)
    return [eligible[place] for place in np.argsort(-score, kind="stable")[:count]]


def _named(file: Path, modality: str, cases: list[str], eligible: list[str]) -> list[str]:
    listed = {case for case, name in _listed(file) if name == modality}
    wrong = sorted((listed & set(cases)) - set(eligible))
    if wrong:
        raise DataError(f"{file}: {wrong[0]} lacks {modality}, or has nothing else to show")
    return [case for case in cases if case in listed]


def _listed(file: Path) -> list[tuple[str, str]]:
    """The (case, modality) pairs of a table; lines that start with `#` are no rows."""
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            text = [line for line in lines if not line.startswith("#")]
        rows = csv.DictReader(text, delimiter="\t", strict=True)
        pairs = [(row["case_id"], row["modality"]) for row in rows]
    except KeyError as error:
        raise DataError(f"{file}: the column {error} is missing") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{file}: no table of hidden cases ({error})") from error
    if any(None in pair for pair in pairs):
        raise DataError(f"{file}: a row has fewer cells than the header")
    twice = [pair for pair, count in Counter(pairs).items() if count > 1]
    if twice:
        raise DataError(f"{file}: {twice[0][1]} of {twice[0][0]} stands twice")
    return pairs


def _evidence(protocol: Mechanism, cases: list[str], known: _Known) -> pd.Series:
    """The linear predictor of absence without its intercept, per case of a split."""
    total = pd.Series(0.0, index=cases)
    if isinstance(protocol, ByLabel):
        return total + protocol.slope * _other_class(cases, known.label)
    slopes: Mapping[str, float] = {}
    if isinstance(protocol, Mar):
        slopes = protocol.slopes
    elif isinstance(protocol, Mnar):
        slopes = {protocol.column: protocol.slope}
    for name, slope in slopes.items():
        total = total + slope * _column(name, cases, known.covariates, protocol.kind)
    return total


def _other_class(cases: list[str], label: pd.Series | None) -> pd.Series:
    if label is None:
        raise StudyError("protocol by-label: the labels are known in training only")
    mine = label.reindex(cases)
    unknown = mine.index[~(mine >= 0)]
    if len(unknown):
        raise DataError(f"protocol by-label: the label of {unknown[0]} is unknown")
    return (mine > 0).astype(float)


def _column(name: str, cases: list[str], covariates: pd.DataFrame, kind: str) -> pd.Series:
    """A covariate of the cases of a split: an indicator, or standardised inside the split."""
    column, equals, level = name.partition("=")
    if column not in covariates.columns:
        columns = [str(one) for one in covariates.columns]
        raise StudyError(
            f"protocol {kind}: the cohort has no column {column!r}{nearest(column, columns)}"
        )
    values = covariates[column].reindex(cases)
    missing = values.index[values.isna()]
    if len(missing):
        raise DataError(f"protocol {kind}: {column} of {missing[0]} is missing; the draw needs it")
    if equals:
        return (values.astype(str) == level).astype(float)
    try:
        numbers = values.astype(float)
    except ValueError as error:
        raise StudyError(
            f"protocol {kind}: {column} is no number; write {column}=<value> for one of its values"
        ) from error
    spread = numbers.std(ddof=0)
    return (numbers - numbers.mean()) / (spread if spread > 0 else 1.0)


def _uniform(key: bytes) -> float:
    """A uniform value from a digest: 52 bits and a half, so that neither 0 nor 1 is reached."""
    number = int.from_bytes(key[:8], "big") >> 12
    return (number + 0.5) / 2**52
