"""Simulated whole slides as a table: whose they are, their burdens, how they were scanned.

case   a patient; all slides of one show the same burdens
order  one slide to write

Draws are keyed by (seed, stream, slide), so no file depends on how many processes wrote it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmmed.simulation.slides.spec import FINEST, LEVELS, SlideSimulation
from mmmed.simulation.tissue.law import draw_burdens

STREAMS = ("cohort", "stain", "ground", "field")
CLASSES = ("benign", "malignant")
NAMES = ("MUSTER, ERIKA", "DOE, JANE", "ROSSI, MARIA", "PEREZ, INES", "NOWAK, ANNA")
"""Invented; they stand where a laboratory prints a patient's."""


@dataclass(frozen=True)
class WholeSlide:
    """One slide to write.

    Attributes:
        place: among all slides; it keys the slide's generators.
        case: `P-0001`.
        label: 0 benign, 1 malignant.
        burdens: (4,) in the order of the law.
        modalities: that the slide offers, from its finest level on.
        name: on the label of a slide in the manner of Aperio; None of a plain TIFF.
        states_mpp: the file says how large its pixels are.
    """

    place: int
    case: str
    label: int
    burdens: np.ndarray
    modalities: tuple[str, ...]
    name: str | None
    states_mpp: bool

    @property
    def id(self) -> str:
        """`S-0001`."""
        return f"S-{self.place + 1:04d}"

    @property
    def file(self) -> str:
        """Its name in the folder."""
        return f"{self.id}.{'tif' if self.name is None else 'svs'}"

    @property
    def mpp(self) -> float:
        """Micrometres per pixel of the finest level."""
        return FINEST * (1 << list(LEVELS).index(self.modalities[0]))


def draw_whole_slides(spec: SlideSimulation) -> list[WholeSlide]:
    """Every slide of the cohort; one of them does not state its mpp."""
    random = generator(spec, "cohort", 0)
    number = spec.slides
    further = random.random(number) < spec.repeated
    further[:2] = False
    owner = np.cumsum(~further) - 1
    label = random.permutation(np.arange(owner[-1] + 1) % 2)
    burdens = draw_burdens(spec.law, label, random, matched=spec.matched)
    coarse = random.random(number) < spec.coarse
    labelled = random.random(number) < spec.labelled
    silent = int(random.integers(number))
    labelled[silent] = False
    return [
        WholeSlide(
            place=place,
            case=f"P-{patient + 1:04d}",
            label=int(label[patient]),
            burdens=burdens[patient],
            modalities=tuple(LEVELS)[int(coarse[place]) :],
            name=NAMES[patient % len(NAMES)] if labelled[place] else None,
            states_mpp=place != silent,
        )
        for place, patient in enumerate(owner.tolist())
    ]


def prior(slides: Sequence[WholeSlide]) -> float:
    """Log-odds of malignant tissue before any image, by the shares of the patients."""
    label = {one.case: one.label for one in slides}
    malignant = sum(label.values())
    return math.log(malignant / (len(label) - malignant))


def generator(spec: SlideSimulation, stream: str, *place: int) -> np.random.Generator:
    """The generator of one stream for one slide or a piece of it."""
    return np.random.default_rng([spec.seed, STREAMS.index(stream), *place])
