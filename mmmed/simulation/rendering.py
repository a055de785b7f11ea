"""From burdens to images: one head, its T1-weighted MRI and its FDG-PET.

Both images are rendered from one nuisance-deformed head. The T1 alone shows the MRI burden and
the PET alone the PET burden, so that each pattern's ceiling is strict; with `atrophied` anatomy
the PET also shows the atrophy, as real ones do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.sparse import csr_array

from mmmed.simulation.anatomy import Atlas
from mmmed.simulation.deformation import Wobble, random_field, random_points, sampling
from mmmed.simulation.scanner import Scanner

PetAnatomy = Literal["shared", "atrophied"]


@dataclass(frozen=True)
class Effect:
    """A linear effect of a burden: `base + slope * (burden - centre)`."""

    base: float
    slope: float
    centre: float

    def at(self, burden: float) -> float:
        """The size of the effect at a burden."""
        return self.base + self.slope * (burden - self.centre)


LOSS = Effect(base=0.42, slope=0.14, centre=0.7)
"""Share of medial temporal grey matter lost."""

WIDENING = Effect(base=0.0, slope=2.0, centre=0.7)
"""Widening of the ventricles, mm."""

HYPOMETABOLISM = Effect(base=0.20, slope=0.10, centre=0.9)
"""Share of posterior tracer uptake lost."""

AGEING = Effect(base=0.10, slope=0.06, centre=0.0)
"""Share of frontal grey matter lost, per standard deviation of age from 73 years."""

AGE_MEAN, AGE_SD = 73.0, 7.0
ENLARGEMENT = {"F": -0.01, "M": 0.01}
UPTAKE = {"gm": 1.0, "wm": 0.38, "csf": 0.05}
THICKNESS_SD, THICKNESS_NODES = 0.05, (8, 9, 8)
BIAS_SD, BIAS_NODES = 0.08, (3, 3, 3)
UPTAKE_SD, UPTAKE_NODES = 0.04, (7, 8, 7)
GAIN_SD = 0.2
"""Of the logarithm of a scan's own gain: dose, body weight, receiver."""

T1_RANGE = 1000.0
"""Stored T1 intensity of the template's 1."""

PET_UNIT = 20_000.0
"""Bq/mL of grey matter before gains."""


@dataclass(frozen=True)
class Subject:
    """What the renderer knows of a subject."""

    z_mri: float
    z_pet: float
    age: float
    sex: str


@dataclass(frozen=True)
class Scans:
    """The images of one subject, (i, j, k).

    Attributes:
        t1: int16, arbitrary units, 0 outside the head.
        pet: int16 counts.
        pet_slope: Bq/mL per count.
    """

    t1: np.ndarray
    pet: np.ndarray
    pet_slope: float


def render(
    subject: Subject,
    atlas: Atlas,
    scanner: Scanner,
    generator: np.random.Generator,
    *,
    pet_anatomy: PetAnatomy,
) -> Scans:
    """The T1-weighted MRI and the FDG-PET of one subject; all randomness is the generator's."""
    head = _draw_head(subject, atlas, generator)
    t1 = _scan_t1(_t1_values(subject, atlas, head), atlas, scanner, generator)
    uptake = _uptake(subject, atlas, head, pet_anatomy=pet_anatomy)
    counts, slope = _scan_pet(uptake, atlas, scanner, generator)
    return Scans(t1=t1, pet=counts, pet_slope=slope)


@dataclass(frozen=True)
class _Head:
    """One subject's form, for the n voxels of the atlas's support.

    Attributes:
        shared: (n, voxels) sparse: where these voxels look in the template.
        widened: the same with the subject's ventricles.
        thinning: (n,) share of grey matter lost at random.
        frontal: share of frontal grey matter lost with age.
    """

    shared: csr_array
    widened: csr_array
    thinning: np.ndarray
    frontal: np.float32


def _draw_head(subject: Subject, atlas: Atlas, generator: np.random.Generator) -> _Head:
    support, shape = atlas.support, atlas.grid.shape
    enlargement = ENLARGEMENT[subject.sex]
    points = random_points(atlas.grid, support, generator, enlargement=enlargement, wobble=Wobble())
    thinning = THICKNESS_SD * random_field(THICKNESS_NODES, atlas.grid, generator)
    shared = sampling(points, shape)
    widening = np.float32(WIDENING.at(subject.z_mri))
    return _Head(
        shared=shared,
        widened=sampling(points - widening * (shared @ atlas.ventricles), shape),
        thinning=thinning.reshape(-1)[support],
        frontal=np.float32(AGEING.at((subject.age - AGE_MEAN) / AGE_SD)),
    )


def _t1_values(subject: Subject, atlas: Atlas, head: _Head) -> np.ndarray:
    """T1 intensity before the scanner, (n,): lost grey matter looks like CSF."""
    t1, gm, medial_temporal, frontal = (head.widened @ atlas.t1).T
    lost = _lost(subject) * medial_temporal
    gone = lost + head.thinning * gm + head.frontal * frontal
    return np.asarray(t1 - np.float32(atlas.contrast) * gone)


def _uptake(subject: Subject, atlas: Atlas, head: _Head, *, pet_anatomy: PetAnatomy) -> np.ndarray:
    """Tracer uptake before the scanner, (n,)."""
    where = head.shared if pet_anatomy == "shared" else head.widened
    gm, wm, csf, posterior, frontal = (where @ atlas.tissue).T
    gone = gm * (head.thinning + head.frontal * frontal)
    if pet_anatomy == "atrophied":
        gone = gone + _lost(subject) * (where @ atlas.t1[:, 2])
    uptake = UPTAKE["gm"] * (gm - gone) + UPTAKE["wm"] * wm + UPTAKE["csf"] * (csf + gone)
    return np.asarray(
        uptake * (1 - np.float32(min(HYPOMETABOLISM.at(subject.z_pet), 1)) * posterior)
    )


def _lost(subject: Subject) -> np.float32:
    """Share of medial temporal grey matter lost."""
    return np.float32(np.clip(LOSS.at(subject.z_mri), 0, 1))


def _scan_t1(
    ideal: np.ndarray, atlas: Atlas, scanner: Scanner, generator: np.random.Generator
) -> np.ndarray:
    """Bias field, noise, offset and gain on T1 values (n,) of the support, as an int16 volume."""
    bias = BIAS_SD * random_field(BIAS_NODES, atlas.grid, generator).reshape(-1)[atlas.support]
    noise = generator.standard_normal(len(ideal), dtype=np.float32)
    gain = scanner.t1_gain * np.exp(GAIN_SD * generator.standard_normal())
    seen = (ideal + scanner.t1_offset * (ideal > 0)) * np.exp(bias) + scanner.t1_noise * noise
    return _volume(np.clip(gain * T1_RANGE * seen, 0, 32767), atlas)


def _scan_pet(
    uptake: np.ndarray, atlas: Atlas, scanner: Scanner, generator: np.random.Generator
) -> tuple[np.ndarray, float]:
    """Regional variation, blur and Poisson counts (int16 volume), and the Bq/mL of one count."""
    grid = atlas.grid
    field = UPTAKE_SD * random_field(UPTAKE_NODES, grid, generator).reshape(-1)[atlas.support]
    ideal = np.zeros(grid.shape, dtype=np.float32)
    ideal.reshape(-1)[atlas.support] = np.clip(uptake, 0, None) * np.exp(field)
    sigma = scanner.pet_fwhm_mm / 2.3548 / grid.affine[0, 0]
    blurred = gaussian_filter(ideal, sigma, truncate=3.0).reshape(-1)[atlas.support]
    counts = generator.poisson(scanner.pet_counts * blurred)
    gain = scanner.pet_gain * np.exp(GAIN_SD * generator.standard_normal())
    return _volume(np.minimum(counts, 32767), atlas), float(PET_UNIT * gain / scanner.pet_counts)


def _volume(values: np.ndarray, atlas: Atlas) -> np.ndarray:
    volume = np.zeros(atlas.grid.shape, dtype=np.int16)
    volume.reshape(-1)[atlas.support] = np.rint(values).astype(np.int16)
    return volume
