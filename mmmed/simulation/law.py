"""The laws of the simulated cohort: how label, burdens and covariates hang together.

burden     a latent number per modality that the image shows: `z_mri` (medial-temporal atrophy,
           wider ventricles) and `z_pet` (posterior hypometabolism)
law        the burdens given the label: one Gaussian per class, and per subgroup where there is one
component  mean and covariance of (z_mri, z_pet) for one class in one subgroup
log-odds   log p(burdens | AD) - log p(burdens | CN): classes are balanced, so it is the posterior's

The label reaches the images through the burdens alone, so no model of the images can beat the
log-odds of the burdens that a pattern shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import Field, model_validator
from scipy.stats import norm

from mmmed.config import Spec
from mmmed.modality import Pattern

BURDENS: Mapping[str, str] = {"mri": "z_mri", "pet": "z_pet"}
"""Modality -> the column of its burden, in the order of every mean and covariance."""

Auroc = Annotated[float, Field(gt=0.5, lt=0.9999)]
Correlation = Annotated[float, Field(gt=-1, lt=1)]


@dataclass(frozen=True)
class Component:
    """The burdens of one class in one subgroup.

    Attributes:
        mean: (2,) of (z_mri, z_pet).
        covariance: (2, 2).
    """

    mean: np.ndarray
    covariance: np.ndarray

    def only(self, pattern: Pattern) -> Component:
        """The burdens that a pattern shows."""
        shown = [row for row, name in enumerate(BURDENS) if name in pattern]
        return Component(self.mean[shown], self.covariance[np.ix_(shown, shown)])

    def log_density(self, burdens: np.ndarray) -> np.ndarray:
        """The log density at `burdens`, (n, number of burdens) -> (n,)."""
        scaled = np.linalg.solve(np.linalg.cholesky(self.covariance), (burdens - self.mean).T)
        logarithm = np.linalg.slogdet(2 * np.pi * self.covariance)[1]
        return np.asarray(-0.5 * (scaled**2).sum(axis=0) - 0.5 * logarithm)


class Gaussian(Spec):
    """Burdens shifted by the label, equally correlated in both classes.

    Attributes:
        auroc_mri: the best AUROC from the MRI alone.
        auroc_pet: the best AUROC from the PET alone.
        correlation: of the burdens within a class.
    """

    kind: Literal["gaussian"] = "gaussian"
    auroc_mri: Auroc = 0.85
    auroc_pet: Auroc = 0.92
    correlation: Correlation = 0.2

    def component(self, label: int, subgroup: bool) -> Component:
        """The burdens of a class; there is no subgroup."""
        del subgroup
        shift = np.array([separation(self.auroc_mri), separation(self.auroc_pet)])
        return Component(label * shift, _correlated(self.correlation))


class Redundant(Spec):
    """The PET burden follows from the MRI burden and noise: given the MRI, PET adds nothing.

    Attributes:
        auroc_mri: the best AUROC from the MRI alone, and from both.
        correlation: of the burdens within a class; it sets the best AUROC from the PET alone.
    """

    kind: Literal["redundant"] = "redundant"
    auroc_mri: Auroc = 0.92
    correlation: Annotated[float, Field(gt=0, lt=1)] = 0.75

    def component(self, label: int, subgroup: bool) -> Component:
        """The burdens of a class; there is no subgroup."""
        del subgroup
        shift = separation(self.auroc_mri)
        return Component(
            label * np.array([shift, self.correlation * shift]), _correlated(self.correlation)
        )


class Synergy(Spec):
    """The burdens agree in sign within AD and disagree within CN: their product tells the label.

    Attributes:
        auroc_mri: the best AUROC from the MRI alone.
        auroc_pet: the best AUROC from the PET alone.
        interaction: within-class correlation of the burdens in AD; in CN its negative.
    """

    kind: Literal["synergy"] = "synergy"
    auroc_mri: Auroc = 0.70
    auroc_pet: Auroc = 0.75
    interaction: Annotated[float, Field(gt=0, lt=1)] = 0.8

    def component(self, label: int, subgroup: bool) -> Component:
        """The burdens of a class; there is no subgroup."""
        del subgroup
        shift = np.array([separation(self.auroc_mri), separation(self.auroc_pet)])
        return Component(label * shift, _correlated((2 * label - 1) * self.interaction))


class Subgroup(Spec):
    """The gaussian law, its effects weaker in one sex or one site.

    Attributes:
        auroc_mri: the best AUROC from the MRI alone, outside the subgroup.
        auroc_pet: the best AUROC from the PET alone, outside the subgroup.
        correlation: of the burdens within a class.
        column: what makes the subgroup.
        value: the sex or site of its members.
        strength: the share of the effects that is left in the subgroup.
    """

    kind: Literal["subgroup"] = "subgroup"
    auroc_mri: Auroc = 0.85
    auroc_pet: Auroc = 0.92
    correlation: Correlation = 0.2
    column: Literal["sex", "site"] = "sex"
    value: str = "F"
    strength: Annotated[float, Field(ge=0, le=1)] = 0.5

    @model_validator(mode="after")
    def _sexes_are_two(self) -> Subgroup:
        if self.column == "sex" and self.value not in ("F", "M"):
            raise ValueError(f"value {self.value!r} is no sex; write F or M")
        return self

    def component(self, label: int, subgroup: bool) -> Component:
        """The burdens of a class inside or outside the subgroup."""
        shift = np.array([separation(self.auroc_mri), separation(self.auroc_pet)])
        strength = self.strength if subgroup else 1.0
        return Component(label * strength * shift, _correlated(self.correlation))


Law = Annotated[Gaussian | Redundant | Synergy | Subgroup, Field(discriminator="kind")]


def separation(auroc: float) -> float:
    """The distance of two unit normals whose best AUROC this is: sqrt(2) * Phi^-1(auroc)."""
    return float(np.sqrt(2) * norm.ppf(auroc))


def members(law: Law, covariates: pd.DataFrame) -> np.ndarray:
    """Who belongs to the law's subgroup, (n,) boolean; nobody where the law has none."""
    if not isinstance(law, Subgroup):
        return np.zeros(len(covariates), dtype=bool)
    return np.asarray(covariates[law.column] == law.value)


def draw_burdens(
    law: Law,
    label: np.ndarray,
    subgroup: np.ndarray,
    generator: np.random.Generator,
    *,
    matched: bool,
) -> np.ndarray:
    """The burdens of n subjects, (n, 2).

    Args:
        law: the law.
        label: (n,) 0 or 1.
        subgroup: (n,) boolean.
        generator: consumed alike whether matched or not.
        matched: whiten the draws of every class and subgroup, so that their mean and covariance
            are the law's own. Subjects are then no longer independent.
    """
    noise = generator.standard_normal((len(label), len(BURDENS)))
    burdens = np.empty_like(noise)
    for value in (0, 1):
        for inside in (False, True):
            rows = (label == value) & (subgroup == inside)
            component = law.component(value, inside)
            standard = whiten(noise[rows]) if matched else noise[rows]
            root = np.linalg.cholesky(component.covariance)
            burdens[rows] = component.mean + standard @ root.T
    return burdens


def whiten(draws: np.ndarray) -> np.ndarray:
    """The draws (n, k) with mean 0 and covariance I exactly; unchanged where n <= k + 1."""
    count, size = draws.shape
    if count <= size + 1:
        return draws
    centred = draws - draws.mean(axis=0)
    root = np.linalg.cholesky(centred.T @ centred / count)
    return np.asarray(np.linalg.solve(root, centred.T).T)


def burdens_of(pattern: Pattern) -> list[str]:
    """The columns of the burdens that a pattern shows."""
    return [column for name, column in BURDENS.items() if name in pattern]


def _correlated(correlation: float) -> np.ndarray:
    return np.array([[1.0, correlation], [correlation, 1.0]])
