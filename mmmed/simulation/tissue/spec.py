"""What simulated slides are made of: everything the written images depend on."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import Field, field_validator

from mmmed.config import Spec
from mmmed.readers.breakhis import SUBTYPES
from mmmed.simulation.tissue.law import TissueLaw

PUBLISHED = {"DC": 38, "F": 10, "MC": 9, "TA": 7, "PC": 6, "LC": 5, "A": 4, "PT": 3}
"""Slides of each subtype in BreakHis: 82."""

Count = Annotated[int, Field(ge=0)]


class BreakHisSimulation(Spec):
    """Simulated slides at four magnifications, under names of BreakHis.

    Attributes:
        law: burdens given the diagnosis.
        slides: of each subtype; of one that is not named there is none.
        images: of a slide at one magnification, at least and at most.
        missing: share of the slides that lack a magnification, drawn for each in turn; nobody loses
            the last.
        rows: of an image; it has half as many columns again.
        matched: the burdens of a class have exactly the law's mean and covariance; else plain.
        seed: of everything that is drawn.
    """

    law: TissueLaw = TissueLaw()
    slides: dict[str, Count] = PUBLISHED
    images: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(le=999)]] = (3, 5)
    missing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    rows: Annotated[int, Field(ge=16, le=1024)] = 64
    matched: bool = True
    seed: Annotated[int, Field(ge=0)] = 0

    @property
    def prior(self) -> float:
        """Log-odds of malignant tissue before any image; an absent class counts half a slide."""
        count = [0.0, 0.0]
        for name, number in self.slides.items():
            count[SUBTYPES[name] == "malignant"] += number
        return math.log((count[1] or 0.5) / (count[0] or 0.5))

    @field_validator("slides")
    @classmethod
    def _subtypes(cls, slides: dict[str, int]) -> dict[str, int]:
        unknown = [name for name in slides if name not in SUBTYPES]
        if unknown:
            raise ValueError(f"no subtype {unknown[0]!r}; allowed: {', '.join(SUBTYPES)}")
        if not sum(slides.values()):
            raise ValueError("ask for at least one slide")
        return slides

    @field_validator("images")
    @classmethod
    def _ordered(cls, images: tuple[int, int]) -> tuple[int, int]:
        if images[0] > images[1]:
            raise ValueError("write the smaller number first")
        return images
