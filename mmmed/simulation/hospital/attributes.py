"""What the headers of a simulated subject's series state, by keyword.

classic    an image per file: everything stands at the top
enhanced   all images in one file: what belongs to frames is left to functional groups
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from mmmed.simulation.hospital.identity import scan_start
from mmmed.simulation.hospital.way import Way
from mmmed.simulation.subjects import Participant

Attributes = dict[str, object]

TIMING: Mapping[str, float] = MappingProxyType(
    {"repetition_ms": 2300.0, "echo_ms": 2.98, "inversion_ms": 900.0, "flip_degrees": 9.0}
)
"""Of an MPRAGE."""

_FLAGS = {"ATTN": "AttenuationCorrected", "DECY": "DecayCorrected", "SCAT": "ScatterCorrected"}


def mr(
    person: Participant,
    number: int,
    description: str,
    image_type: Sequence[str],
    *,
    enhanced: bool = False,
) -> Attributes:
    """Of a 3-D T1, or of what comes with it."""
    said = {
        **_common(person, number, description, image_type, modality="MR"),
        **_on_mri_day(person, number),
        "Manufacturer": "simulated",
        "MRAcquisitionType": "3D",
    }
    if enhanced:
        del said["BodyPartExamined"]
        return {**said, "PulseSequenceName": "*tfl3d1_16ns"}
    return {
        **said,
        "ScanningSequence": ["GR", "IR"],
        "SequenceVariant": ["SP", "MP"],
        "RepetitionTime": f"{TIMING['repetition_ms']:g}",
        "EchoTime": f"{TIMING['echo_ms']:g}",
        "InversionTime": f"{TIMING['inversion_ms']:g}",
        "FlipAngle": f"{TIMING['flip_degrees']:g}",
    }


def ct(person: Participant, number: int, description: str, stated: Way) -> Attributes:
    """Of the CT that a PET is corrected by, taken with it."""
    return {
        **_common(person, number, description, ["ORIGINAL", "PRIMARY", "AXIAL"], modality="CT"),
        **_on_pet_day(stated),
        "Manufacturer": stated.attributes["Manufacturer"],
        "KVP": "120",
        "RescaleType": "HU",
    }


def pet(
    person: Participant, number: int, description: str, stated: Way, corrections: Sequence[str]
) -> Attributes:
    """Of a static PET."""
    said = {
        **_common(person, number, description, ["ORIGINAL", "PRIMARY"], modality="PT"),
        **_on_pet_day(stated),
        **stated.attributes,
    }
    if stated.enhanced:
        del said["BodyPartExamined"]
        flags = {key: "YES" if name in corrections else "NO" for name, key in _FLAGS.items()}
        return {**said, **flags, "ImageType": ["ORIGINAL", "PRIMARY", "STATIC", "NONE"]}
    return {
        **said,
        "CorrectedImage": list(corrections),
        "SeriesType": ["STATIC", "IMAGE"],
        "CountsSource": "EMISSION",
        "FrameReferenceTime": "0",
        "ActualFrameDuration": "900000",
    }


def _on_mri_day(person: Participant, number: int) -> Attributes:
    day = f"{scan_start(person.number, late=False):%Y%m%d}"
    return {
        "StudyDate": day,
        "StudyTime": "080000",
        "SeriesDate": day,
        "SeriesTime": f"0800{number:02d}",
        "AcquisitionDate": day,
        "AcquisitionTime": f"0800{number:02d}",
    }


def _on_pet_day(stated: Way) -> Attributes:
    return {
        "StudyDate": stated.attributes["SeriesDate"],
        "StudyTime": stated.attributes["AcquisitionTime"],
    }


def _common(
    person: Participant, number: int, description: str, image_type: Sequence[str], *, modality: str
) -> Attributes:
    return {
        "Modality": modality,
        "SeriesNumber": number,
        "SeriesDescription": description,
        "ImageType": list(image_type),
        "BodyPartExamined": "BRAIN",
        "PatientSex": person.subject.sex,
        "PatientAge": f"{round(person.subject.age):03d}Y",
        "PatientBirthDate": "",
        "PatientSize": "1.7",
        "StudyID": person.name,
        "AccessionNumber": "",
        "ReferringPhysicianName": "",
        "InstitutionName": f"site {person.site}",
    }
