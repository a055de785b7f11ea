"""Absence as probabilities: which pattern a subject shows, given what absence depends on.

evidence    the linear predictor of absence without its intercept, as in `mmmed.absence`
step        one modality hidden: with probability expit(intercept + evidence) where both are there
selection   steps one after the other, intercepts solved so that each hides its rate

`mmmed.absence` draws who is hidden in a table; here the same law is needed as a function, in the
limit of an infinite cohort.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit, logit

from mmmed.config import nearest
from mmmed.errors import StudyError
from mmmed.mechanism import ByLabel, Complete, Mar, Mcar, Mechanism, Mnar
from mmmed.modality import Pattern, natural_sorted
from mmmed.simulation.law import BURDENS

BOTH = Pattern.of(BURDENS)
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(41)
GRID = 801
"""Points between which the smoothed log-probability of a pattern is interpolated."""


@dataclass(frozen=True)
class Evidence:
    """What absence depends on, as slopes per unit of each column.

    Attributes:
        numbers: column (`z_mri`, `z_pet`, `age`) -> slope per unit.
        levels: (column, value) of `sex` and `site` -> what it adds.
        label: what AD adds.
        offset: added for everyone.
    """

    numbers: Mapping[str, float] = field(default_factory=dict)
    levels: Mapping[tuple[str, str], float] = field(default_factory=dict)
    label: float = 0.0
    offset: float = 0.0

    @property
    def is_constant(self) -> bool:
        """Whether absence depends on nothing."""
        return not any((*self.numbers.values(), *self.levels.values(), self.label))

    def at(self, table: pd.DataFrame) -> np.ndarray:
        """The evidence of every subject, (n,)."""
        total = self.offset + self.label * table["label"].to_numpy(dtype=float)
        for column, slope in self.numbers.items():
            total = total + slope * table[column].to_numpy(dtype=float)
        for (column, value), change in self.levels.items():
            total = total + change * (table[column] == value).to_numpy(dtype=float)
        return total


@dataclass(frozen=True)
class Step:
    """One modality hidden from those who also have the other.

    Attributes:
        modality: what is hidden.
        intercept: of the log-odds of being hidden.
        varies: whether the selection's evidence is added.
    """

    modality: str
    intercept: float
    varies: bool

    def probability(self, evidence: np.ndarray) -> np.ndarray:
        """The probability of being hidden, for who has both, (n,)."""
        return np.asarray(expit(self.intercept + (evidence if self.varies else 0 * evidence)))


@dataclass(frozen=True)
class Selection:
    """How modalities are hidden: steps that share one evidence."""

    evidence: Evidence
    steps: tuple[Step, ...]

    def shares(self, evidence: np.ndarray) -> dict[Pattern, np.ndarray]:
        """The probability of every pattern at some evidence, each (n,)."""
        both = np.ones_like(evidence)
        shares: dict[Pattern, np.ndarray] = {}
        for step in self.steps:
            hidden = both * step.probability(evidence)
            rest = BOTH - Pattern.of([step.modality])
            shares[rest] = shares.get(rest, 0.0) + hidden
            both = both - hidden
        return {**shares, BOTH: both}

    def log_share(self, pattern: Pattern, mean: np.ndarray, sd: float) -> np.ndarray:
        """The log-probability of a pattern where the evidence is known up to a Gaussian, (n,).

        Args:
            pattern: what is shown.
            mean: (n,) expected evidence.
            sd: of what is not known of it.
        """
        points = np.linspace(mean.min(), mean.max(), GRID)
        around = points[:, None] + sd * NODES
        share = self.shares(around)[pattern] @ (WEIGHTS / WEIGHTS.sum())
        with np.errstate(divide="ignore"):
            return np.asarray(np.interp(mean, points, np.log(share)))


def selection_of(protocols: Sequence[Mechanism | Complete], people: pd.DataFrame) -> Selection:
    """Protocols, applied one after the other, as probabilities.

    Args:
        protocols: each at a single rate.
        people: a large sample of the population, with which columns are standardised and
            intercepts solved.

    Raises:
        StudyError: a protocol reads a column that simulated subjects lack, or two of them depend
            on something.
    """
    drawn = [protocol for protocol in protocols if not isinstance(protocol, Complete)]
    evidences = [_evidence(protocol, people) for protocol in drawn]
    varying = [evidence for evidence in evidences if not evidence.is_constant]
    if len(varying) > 1:
        raise StudyError("no ceiling is known where two kinds of absence depend on something")
    selection = Selection(evidence=varying[0] if varying else Evidence(), steps=())
    values = selection.evidence.at(people)
    for protocol, evidence in zip(drawn, evidences, strict=True):
        for modality in _modalities(protocol):
            both = selection.shares(values)[BOTH]
            varies = not evidence.is_constant
            intercept = _intercept(_rate(protocol), values if varies else 0 * values, both)
            step = Step(modality, intercept, varies)
            selection = replace(selection, steps=(*selection.steps, step))
    return selection


def can_leave(pattern: Pattern, protocols: Sequence[Mechanism | Complete]) -> bool:
    """Whether some subject may be left with just this pattern of one modality."""
    return any(
        Pattern.of([name]) != pattern and _rate(protocol) > 0
        for protocol in protocols
        if not isinstance(protocol, Complete)
        for name in _modalities(protocol)
    )


def _rate(protocol: Mechanism) -> float:
    if isinstance(protocol.rate, tuple):
        raise StudyError(f"protocol {protocol.kind}: a ceiling belongs to one rate")
    return protocol.rate


def _modalities(protocol: Mechanism) -> Sequence[str]:
    if protocol.modality == "any":
        return natural_sorted(BURDENS)
    named = [protocol.modality] if isinstance(protocol.modality, str) else protocol.modality
    for name in named:
        if name not in BURDENS:
            raise StudyError(
                f"protocol {protocol.kind}: simulated subjects have no {name!r} "
                f"({', '.join(BURDENS)})"
            )
    return named


def _evidence(protocol: Mechanism, people: pd.DataFrame) -> Evidence:
    if isinstance(protocol, ByLabel):
        return Evidence(label=protocol.slope)
    if isinstance(protocol, Mcar):
        return Evidence()
    slopes = {protocol.column: protocol.slope} if isinstance(protocol, Mnar) else protocol.slopes
    numbers: dict[str, float] = {}
    levels: dict[tuple[str, str], float] = {}
    offset = 0.0
    for name, slope in slopes.items():
        column, equals, value = name.partition("=")
        _require(column, protocol, is_number=not equals)
        if equals:
            levels[column, value] = slope
        else:
            spread = float(people[column].std(ddof=0))
            numbers[column] = slope / spread
            offset -= slope * float(people[column].mean()) / spread
    return Evidence(numbers=numbers, levels=levels, offset=offset)


def _require(column: str, protocol: Mar | Mnar, *, is_number: bool) -> None:
    allowed = ("age", *BURDENS.values()) if is_number else ("sex", "site")
    if column not in allowed:
        raise StudyError(
            f"protocol {protocol.kind}: no ceiling is known where absence depends on {column!r}"
            f"{nearest(column, allowed)}"
        )


def _intercept(rate: float, evidence: np.ndarray, weight: np.ndarray) -> float:
    """The intercept at which the weighted share of the hidden is `rate`."""
    if rate in (0.0, 1.0) or not evidence.any():
        return float(logit(rate))

    def excess(intercept: float) -> float:
        return float(np.average(expit(intercept + evidence), weights=weight)) - rate

    reach = 1 + abs(float(logit(rate))) + float(np.abs(evidence).max())
    return float(brentq(excess, -reach, reach, xtol=1e-10))
