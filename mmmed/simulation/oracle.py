"""What the best possible reader knows: log-odds of AD from burdens, covariates and absence.

All of it is one joint density, of the burdens shown, the covariates where they are known and the
pattern where it counts as evidence, given the label; what is not known is integrated out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import logsumexp
from scipy.stats import norm

from mmmed.modality import Pattern
from mmmed.simulation.law import BURDENS, Component, Law, Subgroup, burdens_of
from mmmed.simulation.population import Population
from mmmed.simulation.selection import Evidence, Selection


@dataclass(frozen=True)
class World:
    """The law and the people it holds for."""

    law: Law
    population: Population

    @property
    def covariates_tell(self) -> bool:
        """Whether age, sex or site change the log-odds."""
        return self.population.is_tied or isinstance(self.law, Subgroup)


@dataclass(frozen=True)
class Knowledge:
    """What a reader knows of a subject.

    Attributes:
        pattern: whose burdens.
        covariates: whether age, sex and site are known.
        selection: how the pattern came about, where its being so counts as evidence.
    """

    pattern: Pattern
    covariates: bool = False
    selection: Selection | None = None


def reader_log_odds(world: World, people: pd.DataFrame, knowledge: Knowledge) -> np.ndarray:
    """The log-odds of AD for a reader, (n,); classes are balanced."""
    positive, negative = (_log_joint(world, people, knowledge, label) for label in (1, 0))
    return np.asarray(positive - negative)


@dataclass(frozen=True)
class _Group:
    """People of one sex at one site; None where it makes no difference."""

    sex: str | None
    site: str | None


def _log_joint(world: World, people: pd.DataFrame, knowledge: Knowledge, label: int) -> np.ndarray:
    terms = [
        _log_group(world, people, knowledge, label, group) for group in _groups(world, knowledge)
    ]
    total = np.asarray(logsumexp(terms, axis=0))
    if knowledge.covariates:
        ages = world.population.mean_age(label), world.population.age_sd
        total = total + norm.logpdf(people["age"].to_numpy(dtype=float), *ages)
    return total


def _groups(world: World, knowledge: Knowledge) -> Iterator[_Group]:
    """The groups that must be told apart."""
    levels = knowledge.selection.evidence.levels if knowledge.selection else {}
    columns = {column for column, _ in levels}
    if isinstance(world.law, Subgroup):
        columns.add(world.law.column)
    if knowledge.covariates and world.population.is_tied:
        columns |= {"sex", "site"}
    for sex in ("F", "M") if "sex" in columns else (None,):
        for site in world.population.sites if "site" in columns else (None,):
            yield _Group(sex, site)


def _log_group(
    world: World, people: pd.DataFrame, knowledge: Knowledge, label: int, group: _Group
) -> np.ndarray:
    """Log of: share of the group in the class x density of the burdens x share of the pattern."""
    component = world.law.component(label, _is_member(world.law, group))
    burdens = people[burdens_of(knowledge.pattern)].to_numpy()
    total = component.only(knowledge.pattern).log_density(burdens)
    total = total + np.log(_share(world.population, label, group))
    if knowledge.selection:
        evidence = knowledge.selection.evidence
        mean, variance = _burden_evidence(people, knowledge.pattern, component, evidence)
        more, spread = _other_evidence(world, people, knowledge.covariates, label, group, evidence)
        sd = float(np.sqrt(variance + spread))
        total = total + knowledge.selection.log_share(knowledge.pattern, mean + more, sd)
    if knowledge.covariates:
        total = np.where(_belongs(people, group), total, -np.inf)
    return np.asarray(total)


def _is_member(law: Law, group: _Group) -> bool:
    return isinstance(law, Subgroup) and law.value in (
        (group.sex,) if law.column == "sex" else (group.site,)
    )


def _belongs(people: pd.DataFrame, group: _Group) -> np.ndarray:
    belongs = np.ones(len(people), dtype=bool)
    if group.sex:
        belongs &= np.asarray(people["sex"] == group.sex)
    if group.site:
        belongs &= np.asarray(people["site"] == group.site)
    return belongs


def _share(population: Population, label: int, group: _Group) -> float:
    share = 1.0
    if group.sex:
        women = population.share_of_women(label)
        share *= women if group.sex == "F" else 1 - women
    if group.site:
        share *= float(population.site_shares(label)[population.sites.index(group.site)])
    return share


def _other_evidence(
    world: World,
    people: pd.DataFrame,
    covariates: bool,
    label: int,
    group: _Group,
    evidence: Evidence,
) -> tuple[np.ndarray, float]:
    """Mean (n,) and variance of the part of the evidence that is not the burdens'."""
    total = np.full(len(people), evidence.offset + label * evidence.label)
    for (column, value), change in evidence.levels.items():
        if value == getattr(group, column):
            total += change
    slope = evidence.numbers.get("age", 0.0)
    if covariates:
        return total + slope * people["age"].to_numpy(dtype=float), 0.0
    total += slope * float(world.population.mean_age(label))
    return total, (slope * world.population.age_sd) ** 2


def _burden_evidence(
    people: pd.DataFrame, pattern: Pattern, component: Component, evidence: Evidence
) -> tuple[np.ndarray, float]:
    """Mean (n,) and variance of the burdens' part of the evidence, given the burdens shown."""
    slopes = np.array([evidence.numbers.get(column, 0.0) for column in BURDENS.values()])
    known = np.array([name in pattern for name in BURDENS])
    burdens = people[burdens_of(pattern)].to_numpy()
    covariance = component.covariance
    weights = np.linalg.solve(covariance[np.ix_(known, known)], covariance[np.ix_(known, ~known)])
    expected = component.mean[~known] + (burdens - component.mean[known]) @ weights
    left = covariance[np.ix_(~known, ~known)] - covariance[np.ix_(~known, known)] @ weights
    mean = burdens @ slopes[known] + expected @ slopes[~known]
    return mean, float(slopes[~known] @ left @ slopes[~known])
