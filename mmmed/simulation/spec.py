"""What a simulated cohort is made of: everything the written files depend on."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mmmed.config import Spec
from mmmed.mechanism import ByLabel, Complete, Mar, Mcar, Mnar
from mmmed.readers.template import COARSEST_MM, FINEST_MM
from mmmed.simulation.law import Gaussian, Law, Subgroup
from mmmed.simulation.population import Population
from mmmed.simulation.rendering import PetAnatomy

Count = Annotated[int, Field(ge=0)]
NaturalAbsence = Annotated[Complete | Mcar | Mar | Mnar | ByLabel, Field(discriminator="kind")]


class Subjects(Spec):
    """How many subjects each part has; classes are balanced within a part, to one subject."""

    train: Count = 300
    validation: Count = 50
    calibration: Count = 100
    test: Count = 200

    @property
    def total(self) -> int:
        """Subjects of all parts."""
        return self.train + self.validation + self.calibration + self.test

    @classmethod
    def of_total(cls, total: int) -> Subjects:
        """The default proportions at another size; what rounding leaves over goes to training."""
        usual = cls()
        rest = {
            name: total * getattr(usual, name) // usual.total
            for name in ("validation", "calibration", "test")
        }
        return cls(train=total - sum(rest.values()), **rest)


class AdSimulation(Spec):
    """A cohort of simulated subjects, healthy (CN) or with Alzheimer's disease (AD).

    Attributes:
        law: burdens given the label.
        population: age, sex, site.
        subjects: per part.
        seed: of everything that is drawn, natural absence apart, which has its own.
        voxel_mm: edge of a voxel: 4 is the demo's, 1 and 2 are realistic.
        site_effects: strength of the differences between the sites' scanners; 0 leaves none.
        pet_anatomy: `shared` renders the PET without atrophy, so that every ceiling is strict;
            `atrophied` is realistic, and the PET's own ceiling is unknown.
        test: `matched` gives the test subjects of a class exactly the law's mean and covariance,
            `iid` draws them plainly.
        missing: the scans that are not on disk.
        clinical: also write clinical variables, noisy readings of both burdens.
    """

    law: Law = Gaussian()
    population: Population = Population()
    subjects: Subjects = Subjects()
    seed: Annotated[int, Field(ge=0)] = 0
    voxel_mm: Annotated[float, Field(ge=FINEST_MM, le=COARSEST_MM)] = 4.0
    site_effects: Annotated[float, Field(ge=0)] = 1.0
    pet_anatomy: PetAnatomy = "shared"
    test: Literal["matched", "iid"] = "matched"
    missing: NaturalAbsence = Complete()
    clinical: bool = False

    @model_validator(mode="after")
    def _parts_fit(self) -> AdSimulation:
        if self.subjects.total == 0:
            raise ValueError("subjects: all parts are empty; ask for at least one subject")
        if not isinstance(self.missing, Complete) and isinstance(self.missing.rate, tuple):
            # pydantic turns a ValueError, not a TypeError, into a fault of the file
            raise ValueError("missing: natural absence has one rate, not a list")  # noqa: TRY004
        return self

    @model_validator(mode="after")
    def _the_subgroup_exists(self) -> AdSimulation:
        law, sites = self.law, self.population.sites
        if isinstance(law, Subgroup) and law.column == "site" and law.value not in sites:
            raise ValueError(f"law: site {law.value!r} is not among {', '.join(sites)}")
        return self
