"""Seeded draws of what is not shown: which case hides which modality.

owned      what a case has on disk
shown      the part of it a protocol leaves to be seen; never empty
rate       the share of the cases of a split that own the modality *and something else*
           whose copy is hidden; natural absence comes on top
protocol   a seeded rule from a table of cases to what is shown

Every mechanism is the same draw: each eligible case scores `slope * evidence + logistic noise`,
and the `round(rate * n)` highest scores of a split are hidden. That is a logistic model of
absence whose intercept is solved so that the realised count is exact. The noise of a case is
keyed by (seed, modality, case), so a draw depends neither on the order of the table nor on other
splits, and the hidden cases of a lower rate are among those of a higher one.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from mmmed.config import Spec
from mmmed.errors import DataError, StudyError
from mmmed.modality import Pattern, natural_sorted

Rate = Annotated[float, Field(ge=0, le=1)]
Rates = Rate | Annotated[tuple[Rate, ...], Field(min_length=1)]


class Complete(Spec):
    """Hides nothing."""

    kind: Literal["complete"] = "complete"


class _Draw(Spec):
    """What every random mechanism states.

    Attributes:
        modality: what is hidden: a name, a list of names, or `any` for every modality in turn.
        rate: share hidden of the cases that can spare it; a list makes one protocol per rate.
        seed: of this draw alone; neither the cohort's nor the job's.
    """

    modality: str | tuple[str, ...]
    rate: Rates
    seed: int = 0


class Mcar(_Draw):
    """Hidden completely at random."""

    kind: Literal["mcar"] = "mcar"


class Mar(_Draw):
    """Hidden at random given recorded covariates.

    Attributes:
        slopes: covariate -> change of the log-odds of being hidden per standard deviation (a
            number) or against the rest (`site=B`, `sex=F`: an indicator, not standardised).
    """

    kind: Literal["mar"] = "mar"
    slopes: dict[str, float]


class Mnar(_Draw):
    """Hidden depending on something that no model sees: the hidden burden or a withheld column."""

    kind: Literal["mnar"] = "mnar"
    column: str
    slope: float


class ByLabel(_Draw):
    """Hidden depending on the label: known in training only.

    Attributes:
        slope: change of the log-odds of being hidden from the negative to the positive class.
    """

    kind: Literal["by-label"] = "by-label"
    slope: float


class Listed(Spec):
    """Hides the cases that a table names: columns `case_id` and `modality`."""

    kind: Literal["list"]
    file: Path


class EveryPattern(Spec):
    """Scores every case under every pattern it owns, the rest hidden (a forced table)."""

    kind: Literal["every-pattern"]


Mechanism = Mcar | Mar | Mnar | ByLabel
TrainProtocol = Annotated[
    Complete | Mcar | Mar | Mnar | ByLabel | Listed, Field(discriminator="kind")
]
TestProtocol = Annotated[
    Complete | Mcar | Mar | Mnar | Listed | EveryPattern, Field(discriminator="kind")
]


@dataclass(frozen=True)
class Hiding:
    """What one protocol did to one modality in one split, in counts.

    Attributes:
        cases: cases of the split.
        absent: cases that do not own the modality.
        eligible: cases that own it and show something else.
        hidden: eligible cases whose copy is hidden.
    """

    split: str
    modality: str
    cases: int
    absent: int
    eligible: int
    hidden: int

    def __str__(self) -> str:
        without = self.absent + self.hidden
        share = f"{100 * without / self.cases:.0f} %" if self.cases else "none"
        return (
            f"{self.split} {self.modality}: {self.absent} naturally absent, "
            f"{self.hidden} of {self.eligible} hidden, {without} of {self.cases} ({share}) without"
        )


@dataclass(frozen=True)
class Shown:
    """What a protocol leaves: boolean (cases x modalities), indexed like the owned table."""

    table: pd.DataFrame
    hidings: tuple[Hiding, ...]

    def pattern(self, case: str) -> Pattern:
        """What `case` shows."""
        row = self.table.loc[case]
        return Pattern.of(row.index[row.to_numpy(dtype=bool)])


def rates(protocol: TestProtocol) -> tuple[float, ...]:
    """The rates of a protocol, one table each; empty for a protocol without a rate."""
    if not isinstance(protocol, _Draw):
        return ()
    return protocol.rate if isinstance(protocol.rate, tuple) else (protocol.rate,)


def at_rate(protocol: Mechanism, rate: float) -> Mechanism:
    """The same protocol at one of its rates."""
    return protocol.model_copy(update={"rate": rate})


def draw(
    protocols: Sequence[TrainProtocol],
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
        split: the split of each case, same index; rates are met inside each.
        covariates: what `mar` and `mnar` read, same index.
        label: 0/1 or class index per case, for `by-label` alone.

    Raises:
        StudyError: a protocol names a modality or a column that the table lacks.
        DataError: a case owns nothing, or a covariate is missing for a case.
    """
    _check_owned(owned)
    shown = owned.copy()
    hidings: list[Hiding] = []
    for protocol in protocols:
        if isinstance(protocol, Complete):
            continue
        if isinstance(protocol, Listed):
            hidings += _hide_listed(protocol, shown, owned, split)
            continue
        evidence = _evidence(protocol, owned.index, covariates, label)
        for modality in _modalities(protocol, owned):
            for name in natural_sorted(split.unique()):
                hidings.append(
                    _hide(protocol, modality, shown, owned, evidence, rows=split == name, split=name)
                )
    return Shown(table=shown, hidings=tuple(hidings))


def logistic_noise(seed: int, modality: str, cases: Sequence[str]) -> np.ndarray:
    """One standard logistic value per case (n,), a pure function of (seed, modality, case)."""
    uniform = [_uniform(f"{seed}\0{modality}\0{case}") for case in cases]
    return np.array([math.log(u) - math.log1p(-u) for u in uniform])


def _hide(
    protocol: Mechanism,
    modality: str,
    shown: pd.DataFrame,
    owned: pd.DataFrame,
    evidence: pd.Series,
    *,
    rows: pd.Series,
    split: str,
) -> Hiding:
    if isinstance(protocol.rate, tuple):
        raise StudyError(f"{protocol.kind}: a draw has one rate, not {list(protocol.rate)}")
    inside = shown[rows]
    eligible = inside.index[inside[modality] & (inside.sum(axis=1) > 1)]
    count = math.floor(protocol.rate * len(eligible) + 0.5)
    score = evidence[eligible].to_numpy() + logistic_noise(protocol.seed, modality, list(eligible))
    hidden = eligible[np.argsort(-score, kind="stable")[:count]]
    shown.loc[hidden, modality] = False
    return Hiding(
        split=split,
        modality=modality,
        cases=int(rows.sum()),
        absent=int((~owned.loc[rows, modality]).sum()),
        eligible=len(eligible),
        hidden=count,
    )


def _hide_listed(
    protocol: Listed, shown: pd.DataFrame, owned: pd.DataFrame, split: pd.Series
) -> list[Hiding]:
    listed = _listed(protocol.file)
    unknown = [case for case, _ in listed if case not in owned.index]
    if unknown:
        raise DataError(f"{protocol.file}: case {unknown[0]} is not in the cohort")
    hidings = []
    for modality in natural_sorted({modality for _, modality in listed}):
        _require(modality, owned, protocol.kind)
        cases = [case for case, name in listed if name == modality]
        for case in cases:
            if not shown.loc[case, modality]:
                raise DataError(f"{protocol.file}: {case} does not own {modality}")
            if shown.loc[case].sum() == 1:
                raise DataError(f"{protocol.file}: hiding {modality} would leave {case} empty")
        eligible = shown[modality] & (shown.sum(axis=1) > 1)
        shown.loc[cases, modality] = False
        for name in natural_sorted(split.unique()):
            rows = split == name
            hidings.append(
                Hiding(
                    split=name,
                    modality=modality,
                    cases=int(rows.sum()),
                    absent=int((~owned.loc[rows, modality]).sum()),
                    eligible=int((eligible & rows).sum()),
                    hidden=int(rows[cases].sum()),
                )
            )
    return hidings


def _listed(file: Path) -> list[tuple[str, str]]:
    try:
        table = pd.read_csv(file, sep="\t", dtype=str, comment="#")
    except (OSError, ValueError) as error:
        raise DataError(f"{file}: no table of hidden cases ({error})") from error
    if not {"case_id", "modality"} <= set(table.columns):
        raise DataError(f"{file}: columns case_id and modality are expected")
    return list(zip(table["case_id"], table["modality"], strict=True))


def _modalities(protocol: Mechanism, owned: pd.DataFrame) -> list[str]:
    if protocol.modality == "any":
        return natural_sorted(owned.columns)
    named = [protocol.modality] if isinstance(protocol.modality, str) else list(protocol.modality)
    for name in named:
        _require(name, owned, protocol.kind)
    return named


def _require(modality: str, owned: pd.DataFrame, kind: str) -> None:
    if modality not in owned.columns:
        raise StudyError(
            f"protocol {kind}: modality {modality!r} is not in the cohort "
            f"({', '.join(owned.columns)})"
        )


def _evidence(
    protocol: Mechanism, cases: pd.Index, covariates: pd.DataFrame, label: pd.Series | None
) -> pd.Series:
    """The linear predictor of absence without its intercept, per case."""
    if isinstance(protocol, ByLabel):
        if label is None:
            raise StudyError("protocol by-label: the labels are known in training only")
        return protocol.slope * (label > 0).astype(float)
    slopes: Mapping[str, float] = {}
    if isinstance(protocol, Mar):
        slopes = protocol.slopes
    elif isinstance(protocol, Mnar):
        slopes = {protocol.column: protocol.slope}
    total = pd.Series(0.0, index=cases)
    for name, slope in slopes.items():
        total += slope * _column(name, covariates, protocol.kind)
    return total


def _column(name: str, covariates: pd.DataFrame, kind: str) -> pd.Series:
    column, equals, level = name.partition("=")
    if column not in covariates.columns:
        raise StudyError(
            f"protocol {kind}: the cohort has no column {column!r} "
            f"({', '.join(map(str, covariates.columns))})"
        )
    values = covariates[column]
    if values.isna().any():
        case = values.index[values.isna()][0]
        raise DataError(f"protocol {kind}: {column} of {case} is missing; the draw needs it")
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


def _check_owned(owned: pd.DataFrame) -> None:
    empty = owned.index[~owned.any(axis=1)]
    if len(empty):
        raise DataError(f"case {empty[0]} owns no modality; leave it out of the cohort")


def _uniform(key: str) -> float:
    """A uniform value in (0, 1), never an end, from a text."""
    number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")
    return (number + 0.5) / 2**64
