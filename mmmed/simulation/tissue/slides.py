"""The slides of a simulated cohort as a table: whose they are, their burdens, their images.

Draws are keyed by (seed, stream, slide), so no image depends on how many processes wrote it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mmmed.readers.breakhis import CLASSES, SUBTYPES
from mmmed.simulation.tissue.law import MAGNIFICATIONS, draw_burdens
from mmmed.simulation.tissue.spec import BreakHisSimulation

YEAR = 14
SHARED, SHARING = 13412, ("DC", "LC")
"""The number that stands under two subtypes, as in BreakHis: one patient."""

STREAMS = ("cohort", "stain", "image")
TREE = "BreaKHis_v1/histology_slides/breast"
FOLDERS = {
    "A": "adenosis",
    "F": "fibroadenoma",
    "PT": "phyllodes_tumor",
    "TA": "tubular_adenoma",
    "DC": "ductal_carcinoma",
    "LC": "lobular_carcinoma",
    "MC": "mucinous_carcinoma",
    "PC": "papillary_carcinoma",
}
_LETTERS = {meaning: letter for letter, meaning in CLASSES.items()}


@dataclass(frozen=True)
class SlideOrder:
    """One slide to write.

    Attributes:
        place: among all slides; it keys the slide's generators.
        subtype: `F`, `DC`, ...
        number: of the excision.
        burdens: (4,) in the order of the magnifications.
        images: modality -> how many; no key for what the slide lacks.
    """

    place: int
    subtype: str
    number: int
    burdens: np.ndarray
    images: dict[str, int]

    @property
    def case(self) -> str:
        """As the cohort names it: `DC-14-13412`."""
        return f"{self.subtype}-{YEAR}-{self.number}"

    @property
    def label(self) -> int:
        """0 benign, 1 malignant."""
        return int(SUBTYPES[self.subtype] == "malignant")

    def path(self, modality: str, sequence: int) -> str:
        """Where an image stands, below the root."""
        kind, size = SUBTYPES[self.subtype], MAGNIFICATIONS[modality]
        head = f"SOB_{_LETTERS[kind]}_{self.subtype}"
        folder = f"{TREE}/{kind}/SOB/{FOLDERS[self.subtype]}/{head}_{YEAR}-{self.number}/{size}X"
        return f"{folder}/{head}-{YEAR}-{self.number}-{size}-{sequence:03d}.png"


def draw_slides(spec: BreakHisSimulation) -> list[SlideOrder]:
    """Every slide of the cohort, in an order of its own."""
    subtypes = [name for name in SUBTYPES for _ in range(spec.slides.get(name, 0))]
    random = generator(spec, "cohort", 0)
    label = np.array([SUBTYPES[name] == "malignant" for name in subtypes], dtype=int)
    burdens = draw_burdens(spec.law, label, random, matched=spec.matched)
    low, high = spec.images
    counts = random.integers(low, high + 1, (len(subtypes), len(MAGNIFICATIONS)))
    lost = random.random(counts.shape) < spec.missing
    lost[lost.all(axis=1), -1] = False
    return [
        SlideOrder(
            place=place,
            subtype=subtype,
            number=number,
            burdens=burdens[place],
            images={
                name: int(counts[place, column])
                for column, name in enumerate(MAGNIFICATIONS)
                if not lost[place, column]
            },
        )
        for place, (subtype, number) in enumerate(zip(subtypes, _numbers(subtypes), strict=True))
    ]


def generator(spec: BreakHisSimulation, stream: str, *place: int) -> np.random.Generator:
    """The generator of one stream for one slide or image."""
    return np.random.default_rng([spec.seed, STREAMS.index(stream), *place])


def _numbers(subtypes: list[str]) -> list[int]:
    """A number per slide; the first of two subtypes share one."""
    first = {name: subtypes.index(name) for name in SHARING if name in subtypes}
    shared = set(first.values()) if len(first) == len(SHARING) else set()
    return [SHARED if place in shared else 2000 + 7 * place for place in range(len(subtypes))]
