"""How old a patient was, as headers state it (DICOM PS3.3 C.7.1.1, C.7.2.2)."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date

from mmmed.readers.suv.reading import Reading

OLDEST = 130.0
"""Years; what is older is no age."""

_AGE = re.compile(r"(\d{3})([DWMY])")
_YEARS = {"D": 1 / 365.25, "W": 7 / 365.25, "M": 1 / 12, "Y": 1.0}


def age_years(reading: Reading) -> float | None:
    """Patient's Age (0010,1010), else from birth to the Study; None where neither says it."""
    years = _stated(reading)
    if years is None:
        born, seen = _day(reading, "PatientBirthDate"), _day(reading, "StudyDate")
        years = (seen - born).days / 365.25 if born and seen else None
    return years if years is not None and 0 <= years <= OLDEST else None


def _stated(reading: Reading) -> float | None:
    found = _AGE.fullmatch(_first(reading, "PatientAge"))
    return int(found[1]) * _YEARS[found[2]] if found else None


def _first(reading: Reading, keyword: str) -> str:
    return next(("".join(parts) for parts in reading.texts(keyword)), "")


def _day(reading: Reading, keyword: str) -> date | None:
    with suppress(ValueError):
        return date.fromisoformat(_first(reading, keyword)[:8])
    return None
