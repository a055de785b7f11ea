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

from mmmed.simulation.hospital.identity import scan_start, uid
from mmmed.simulation.hospital.order import Order
from mmmed.simulation.hospital.way import NAMES, Name, Way, way
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
"""Every so many slices make a localiser."""

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
    study = uid(spec.seed, person.name, "mr")
    usual = Order(
        patient=person.name,
        study=study,
        uid=uid(study, 2),
        folder=f"{person.name}/mr/2",
        values=t1,
        affine=affine,
        attributes=_mr(person, 2, "t1_mprage_3d", ["ORIGINAL", "PRIMARY", "M", "ND"]),
        isotope=_NOTHING,
        private=_NO_ELEMENTS,
        syntax=_syntax(person.number, t1),
        enhanced=person.number % 3 == 0,
        source=f"{person.name}_ses-{SESSION}_T1w",
    )
    sparse = affine.copy()
    sparse[:, 2] *= EVERY
    sparse[:, 3] = affine[:, 3]
    yield replace(
        usual,
        uid=uid(study, 1),
        folder=f"{person.name}/mr/1",
        values=t1[:, :, ::EVERY],
        affine=sparse,
        attributes=_mr(person, 1, "localizer", ["ORIGINAL", "PRIMARY", "LOCALIZER"]),
        enhanced=False,
        syntax=ExplicitVRLittleEndian,
        source="",
        reason="localiser",
    )
    yield usual
    yield replace(
        usual,
        uid=uid(study, 3),
        folder=f"{person.name}/mr/3",
        attributes=_mr(person, 3, "t1_mprage_MPR", ["DERIVED", "SECONDARY", "MPR"]),
        enhanced=False,
        reason="derived",
    )


def _pet_study(
    spec: AdSimulation, person: Participant, scans: Scans, affine: np.ndarray
) -> Iterator[Order]:
    name: Name = NAMES[(person.number - 1) % len(NAMES)]
    stated = way(name, number=person.number, becquerels=scans.pet_slope)
    study = uid(spec.seed, person.name, "pet")
    corrected = Order(
        patient=person.name,
        study=study,
        uid=uid(study, 2),
        folder=f"{person.name}/pet/2",
        values=scans.pet,
        affine=affine,
        attributes=_pt(person, 2, "PET AC Brain", stated, ["DECY", "ATTN", "SCAT"]),
        isotope=stated.isotope,
        private=stated.private,
        slope=stated.slope,
        syntax=_syntax(person.number + 1, scans.pet),
        suv=stated.suv,
        source=f"{person.name}_ses-{SESSION}_trc-18FFDG_pet",
        reason=name,
    )
    yield corrected
    yield replace(
        corrected,
        uid=uid(study, 3),
        folder=f"{person.name}/pet/3",
        attributes=_pt(person, 3, "PET NAC Brain", stated, ["DECY"]),
        suv=None,
        source="",
        reason="not attenuation corrected",
    )


def _syntax(turn: int, values: np.ndarray) -> UID:
    """The syntaxes in turn; a plane that is too small for JPEG 2000 is left as it is."""
    syntax = SYNTAXES[turn % len(SYNTAXES)]
    small = min(values.shape[:2]) < SMALLEST
    return ExplicitVRLittleEndian if small and syntax == JPEG2000Lossless else syntax


def _mr(
    person: Participant, number: int, description: str, image_type: list[str]
) -> dict[str, object]:
    day = scan_start(person.number, late=False)
    return {
        **_person(person, number, description, image_type, modality="MR"),
        "StudyDate": f"{day:%Y%m%d}",
        "StudyTime": "080000",
        "SeriesDate": f"{day:%Y%m%d}",
        "SeriesTime": f"0800{number:02d}",
        "AcquisitionDate": f"{day:%Y%m%d}",
        "AcquisitionTime": f"0800{number:02d}",
        "Manufacturer": "simulated",
        "MRAcquisitionType": "3D",
        "ScanningSequence": ["GR", "IR"],
        "SequenceVariant": ["SP", "MP"],
        "RepetitionTime": "2300",
        "EchoTime": "2.98",
        "InversionTime": "900",
        "FlipAngle": "9",
    }


def _pt(
    person: Participant, number: int, description: str, stated: Way, corrections: list[str]
) -> dict[str, object]:
    return {
        **_person(person, number, description, ["ORIGINAL", "PRIMARY"], modality="PT"),
        "StudyDate": stated.attributes["SeriesDate"],
        "StudyTime": stated.attributes["SeriesTime"],
        **stated.attributes,
        "CorrectedImage": corrections,
        "SeriesType": ["STATIC", "IMAGE"],
        "CountsSource": "EMISSION",
        "FrameReferenceTime": "0",
        "ActualFrameDuration": "900000",
    }


def _person(
    person: Participant, number: int, description: str, image_type: list[str], *, modality: str
) -> dict[str, object]:
    return {
        "Modality": modality,
        "SeriesNumber": number,
        "SeriesDescription": description,
        "ImageType": image_type,
        "BodyPartExamined": "BRAIN",
        "PatientSex": person.subject.sex,
        "PatientBirthDate": "",
        "PatientSize": "1.7",
        "StudyID": person.name,
        "AccessionNumber": "",
        "ReferringPhysicianName": "",
        "InstitutionName": f"site {person.site}",
    }
