"""Philips' factors from counts to SUVbw and to Bq/mL.

Units are CNTS, and the block "Philips PET Private Group" holds (7053,xx00), SUVbw per rescaled
value, and (7053,xx09), Bq/mL per rescaled value (Philips' DICOM conformance statements; the QIBA
FDG-PET/CT profile computes SUV so). 0 in either means that the scanner could not compute it.
"""

from __future__ import annotations

import math

from mmmed.errors import UnitsError
from mmmed.readers.suv.reading import Reading

CREATOR, GROUP = "Philips PET Private Group", 0x7053
SUV_TAG, ACTIVITY_TAG = "(7053,1000)", "(7053,1009)"


def suv_scale(reading: Reading) -> float | None:
    """SUVbw per rescaled value; None where it is missing or 0."""
    return _factor(reading, 0x00, "SUVScaleFactor", SUV_TAG)


def activity_scale(reading: Reading) -> float | None:
    """Bq/mL per rescaled value; None where it is missing or 0."""
    return _factor(reading, 0x09, "ActivityConcentrationScaleFactor", ACTIVITY_TAG)


def _factor(reading: Reading, element: int, label: str, tag: str) -> float | None:
    texts = reading.private(CREATOR, GROUP, element, label=label)
    values = {_number(text, label, tag) for text in texts}
    if len(values) > 1:
        raise UnitsError(f"{label} {tag} differs within the series: {', '.join(sorted(texts)[:4])}")
    value = next(iter(values), 0.0)
    return value or None


def _number(text: str, label: str, tag: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise UnitsError(f"{label} {tag} is {text[:32]!r}, which is no factor")
    return value
