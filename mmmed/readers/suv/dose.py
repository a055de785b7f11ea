"""The activity that was given to the patient."""

from __future__ import annotations

from pydicom.uid import EnhancedPETImageStorage

from mmmed.errors import UnitsError
from mmmed.readers.suv.element import missing, name
from mmmed.readers.suv.reading import Reading

LEAST, MOST = 1e6, 1e10
"""Bq of a dose that can be true; what lies outside is stated in another unit, or is no dose."""

_KEYWORD = "RadionuclideTotalDose"


def dose(reading: Reading) -> float:
    """The dose in Bq.

    DICOM PS3.3 states it in Bq for PET images (C.8.9.2) and in MBq for enhanced ones (C.8.22.4).
    The ranges of doses that can be true do not meet in these units, so that an enhanced header
    which states Bq all the same is recognised; this is noted.

    Raises:
        UnitsError: none is stated, or one that cannot be true.
    """
    stated = reading.isotope_number(_KEYWORD)
    if stated is None:
        raise missing(_KEYWORD)
    if reading.text("SOPClassUID") == EnhancedPETImageStorage:
        if LEAST <= stated * 1e6 <= MOST:
            return stated * 1e6
        if LEAST <= stated <= MOST:
            reading.note(f"{name(_KEYWORD)} is {stated:g}: Bq, not MBq as an enhanced image should")
            return stated
    elif LEAST <= stated <= MOST:
        return stated
    hint = ", as if in MBq" if LEAST <= stated * 1e6 <= MOST else ""
    raise UnitsError(
        f"{name(_KEYWORD)} is {stated:g}{hint}; a dose lies between {LEAST:g} and {MOST:g} Bq"
    )
