"""The two DICOM Studies of a subject: an MRI day and a PET day, with several series each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import MappingProxyType

import numpy as np
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from mmmed.simulation.hospital.attributes import TIMING, ct, mr, pet
from mmmed.simulation.hospital.identity import uid
from mmmed.simulation.hospital.order import Order
from mmmed.simulation.hospital.way import NAMES, Name, way
from mmmed.simulation.rendering import Scans
from mmmed.simulation.scans import scans_of
from mmmed.simulation.spec import AdSimulation
from mmmed.simulation.subjects import SESSION, Participant

SYNTAXES: tuple[UID, ...] = (
    ExplicitVRLittleEndian,
    RLELossless,
    JPEG2000Lossless,
    JPEGLSLossless,
)
SMALLEST = 32
"""Edge in pixels of the smallest plane that OpenJPEG encodes with its usual five resolutions."""

EVERY = 4
"""Every so many slices make a localiser, or a CT."""

THIN_MM, FEWEST = 2.0, 20
"""What the usual rules of choice ask of a T1's voxels, and how many slices of a PET."""

_NOTHING: MappingProxyType[str, str] = MappingProxyType({})
_NO_ELEMENTS: MappingProxyType[int, str] = MappingProxyType({})


def orders(spec: AdSimulation, person: Participant) -> Iterator[Order]:
    """Every series of a subject, in the order of their numbers, the MRI's first."""
    scans, affine = scans_of(spec, person)
    yield from _mr_study(spec, person, scans.t1, affine)
    yield from _pet_study(spec, person, scans, affine)


def _mr_study(
    spec: AdSimulation, person: Participant, t1: np.ndarray, affine: np.ndarray
) -> Iterator[Order]:
    study, enhanced = uid(spec.seed, person.name, "mr"), person.number % 3 == 0
    thin = float(affine[2, 2]) <= THIN_MM
    original = ["ORIGINAL", "PRIMARY", "M", "ND"]
    usual = Order(
        patient=person.name,
        study=study,
        uid=uid(study, 2),
        folder=f"{person.name}/mr/2",
        values=t1,
        affine=affine,
        attributes=mr(person, 2, "t1_mprage_3d", original, enhanced=enhanced),
        isotope=_NOTHING,
        private=_NO_ELEMENTS,
        groups=TIMING,
        syntax=_syntax(person.number, t1),
        enhanced=enhanced,
        source=f"{person.name}_ses-{SESSION}_T1w",
        chosen="mri" if thin else "",
        why="" if thin else "thicker than 2 mm",
    )
    other = replace(usual, enhanced=False, chosen="")
    scout = "localizer" if person.number % 2 else "AAHead_Scout"
    yield replace(
        _sparse(other),
        uid=uid(study, 1),
        folder=f"{person.name}/mr/1",
        attributes=mr(person, 1, scout, ["ORIGINAL", "PRIMARY", "LOCALIZER"]),
        why="is a localiser",
        reason="localiser",
    )
    yield usual
    yield replace(
        other,
        uid=uid(study, 3),
        folder=f"{person.name}/mr/3",
        attributes=mr(person, 3, "t1_mprage_MPR", ["DERIVED", "SECONDARY", "MPR"]),
        why="is derived",
        reason="derived",
    )
    if person.number % 4 == 1:
        yield replace(
            other,
            uid=uid(study, 4),
            folder=f"{person.name}/mr/4",
            attributes=mr(person, 4, "t1_mprage_3d", original),
            why="the lower series number counts" if thin else usual.why,
            reason="the T1 once more",
        )


def _pet_study(
    spec: AdSimulation, person: Participant, scans: Scans, affine: np.ndarray
) -> Iterator[Order]:
    name: Name = NAMES[(person.number - 1) % len(NAMES)]
    stated = way(name, number=person.number, becquerels=scans.pet_slope)
    study = uid(spec.seed, person.name, "pet")
    enough = scans.pet.shape[2] >= FEWEST
    corrected = Order(
        patient=person.name,
        study=study,
        uid=uid(study, 2),
        folder=f"{person.name}/pet/2",
        values=scans.pet,
        affine=affine,
        attributes=pet(person, 2, "PET AC Brain", stated, ["DECY", "ATTN", "SCAT"]),
        isotope=stated.isotope,
        private=stated.private,
        slope=stated.slope,
        syntax=_syntax(person.number + 1, scans.pet),
        enhanced=stated.enhanced,
        suv=stated.suv,
        source=f"{person.name}_ses-{SESSION}_trc-18FFDG_pet",
        chosen="pet" if enough else "",
        why="" if enough else "fewer than 20 slices",
        reason=name,
    )
    other = replace(corrected, suv=None, source="", chosen="")
    yield replace(
        _sparse(other),
        uid=uid(study, 1),
        folder=f"{person.name}/pet/1",
        attributes=ct(person, 1, "CT Head AC", stated),
        isotope=_NOTHING,
        private=_NO_ELEMENTS,
        slope="1",
        intercept="-1024",
        enhanced=False,
        why="is no PET",
        reason="CT",
    )
    yield corrected
    yield replace(
        other,
        uid=uid(study, 3),
        folder=f"{person.name}/pet/3",
        attributes=pet(person, 3, "PET NAC Brain", stated, ["DECY"]),
        why="is not attenuation corrected",
        reason="not attenuation corrected",
    )


def _sparse(order: Order) -> Order:
    """Every so many of its slices, uncompressed."""
    affine = order.affine.copy()
    affine[:, 2] *= EVERY
    values = order.values[:, :, ::EVERY]
    return replace(order, values=values, affine=affine, syntax=ExplicitVRLittleEndian, source="")


def _syntax(turn: int, values: np.ndarray) -> UID:
    """The syntaxes in turn; a plane that is too small for JPEG 2000 is left as it is."""
    syntax = SYNTAXES[turn % len(SYNTAXES)]
    small = min(values.shape[:2]) < SMALLEST
    return ExplicitVRLittleEndian if small and syntax == JPEG2000Lossless else syntax
