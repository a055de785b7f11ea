"""What simulated whole slides are made of: everything the written files depend on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, model_validator

from mmmed.config import Spec
from mmmed.simulation.tissue.law import TissueLaw

LEVELS: Mapping[str, str] = {"x40": "x400", "x20": "x200", "x10": "x100", "x5": "x40"}
"""Objective -> the magnification of BreakHis that shows the same, from the finest level on."""

FINEST = 0.25
"""Micrometres per pixel at the objective 40x; each further level has twice as many."""

TILE = 256
"""Pixels along the side of a tile of a file."""

DEEPEST = 2 ** (len(LEVELS) - 1)
"""How much the coarsest level is reduced against the finest."""

Share = Annotated[float, Field(ge=0, lt=1)]


class SlideSimulation(Spec):
    """Simulated slides of both diagnoses.

    Attributes:
        law: burdens given the diagnosis; x40 of BreakHis is shown by the objective 5x, x100 by 10x,
            x200 by 20x, x400 by 40x.
        slides: in all, so that each diagnosis has some.
        repeated: share of the slides that are a further one of the patient before.
        coarse: share of the slides that are scanned at 20x, so that they show nothing at 40x.
        labelled: share of the slides in the manner of Aperio, with a label and a macro that carry
            an invented name.
        side: pixels along a slide at the objective 40x.
        field: pixels along what is drawn at once, at any level: as the rows of a BreakHis image.
        matched: the burdens of a class have exactly the law's mean and covariance; else plain.
        seed: of everything that is drawn.
    """

    law: TissueLaw = TissueLaw()
    slides: Annotated[int, Field(ge=2, le=9999)] = 24
    repeated: Share = 0.2
    coarse: Share = 0.2
    labelled: Share = 0.3
    side: Annotated[int, Field(ge=512, le=65536, multiple_of=DEEPEST)] = 1024
    field: Annotated[int, Field(ge=16, le=TILE)] = 64
    matched: bool = True
    seed: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _whole_fields(self) -> SlideSimulation:
        if TILE % self.field:
            raise ValueError(f"field {self.field}: {TILE} pixels are not a whole number of it")
        return self
