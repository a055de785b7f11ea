"""Which corrections the image has had, and whether it is one of emission at all.

DICOM PS3.3 C.8.9.1 (Corrected Image, Counts Source, Series Type) and C.8.22.6 (Attenuation
Corrected, Decay Corrected) of enhanced images.
"""

from __future__ import annotations

from mmmed.errors import UnitsError
from mmmed.readers.suv.element import missing, name
from mmmed.readers.suv.reading import Reading

ATTENUATION, DECAY = "ATTN", "DECY"
_FLAGS = {ATTENUATION: "AttenuationCorrected", DECAY: "DecayCorrected"}


def check_emission(reading: Reading) -> None:
    """Refuse what is no emission image of a PET scanner.

    Raises:
        UnitsError: another modality, a transmission scan or a projection.
    """
    modality = reading.text("Modality")
    if modality not in (None, "PT"):
        raise UnitsError(f"{name('Modality')} is {modality}, not PT")
    source = reading.text("CountsSource")
    if source == "TRANSMISSION":
        raise UnitsError(f"{name('CountsSource')} is TRANSMISSION: it shows attenuation")
    if any("REPROJECTION" in parts for parts in reading.texts("SeriesType")):
        raise UnitsError(f"{name('SeriesType')} is REPROJECTION: it holds projections, no slices")


def check_corrected(reading: Reading, *needed: str) -> None:
    """Refuse an image that lacks a correction, `ATTN` or `DECY`.

    Raises:
        UnitsError: headers do not say, or say that it lacks one.
    """
    stated = reading.texts("CorrectedImage")
    if stated:
        lacking = [one for one in needed if any(one not in parts for parts in stated)]
        if lacking:
            raise UnitsError(f"{name('CorrectedImage')} lacks {' and '.join(lacking)}")
        return
    flags = {one: reading.text(_FLAGS[one]) for one in needed}
    if not any(flags.values()):
        raise missing("CorrectedImage")
    for one, flag in flags.items():
        if flag is None:
            raise missing(_FLAGS[one])
        if flag != "YES":
            raise UnitsError(f"{name(_FLAGS[one])} is {flag}")
