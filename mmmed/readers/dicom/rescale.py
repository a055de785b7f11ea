"""What makes values of stored pixels: a slope, an intercept, and Philips' own scale."""

from __future__ import annotations

import math
import struct

from mmmed.errors import SeriesError
from mmmed.readers.dicom.elements import Elements
from mmmed.readers.dicom.private import Private
from mmmed.readers.dicom.syntax import EXPLICIT_BIG

INTERCEPT, SLOPE = 0x00281052, 0x00281053
PHILIPS_SCALE = Private("Philips MR Imaging DD 001", 0x2005, 0x0E)

TAGS = PHILIPS_SCALE.tags | {INTERCEPT, SLOPE}
"""What must be read of every file."""


def of_classic(elements: Elements) -> tuple[float, float, bool]:
    """Slope, intercept, and whether Philips' own scale is in them.

    Raises:
        SeriesError: not finite numbers.
    """
    slope = elements.numbers(SLOPE, count=1) or (1.0,)
    intercept = elements.numbers(INTERCEPT, count=1) or (0.0,)
    scale = None
    raw = PHILIPS_SCALE.value(elements)
    if SLOPE in elements.values and len(raw) == 4:
        scale = struct.unpack(">f" if elements.syntax == EXPLICIT_BIG else "<f", raw)[0]
    return of_philips(slope[0], intercept[0], scale=scale, where=str(elements.path))


def of_philips(
    slope: float, intercept: float, *, scale: float | None, where: str
) -> tuple[float, float, bool]:
    """Slope and intercept to Philips' floating-point values where their scale is stated.

    What rescale alone gives is scaled for display, differently from series to series; divided by
    slope * scale it is the measured signal (Chenevert et al., 2014, 10.1593/tlo.13811).

    Raises:
        SeriesError: a number that is not finite, or so small that the result is not.
    """
    if not (math.isfinite(slope) and math.isfinite(intercept)):
        raise SeriesError(f"{where}: rescale by {slope} and {intercept} is not finite")
    if not (scale and slope and math.isfinite(scale)):
        return slope, intercept, False
    product = slope * scale
    found = (1 / scale, intercept / product) if product else (math.inf, math.inf)
    if not all(map(math.isfinite, found)):
        raise SeriesError(
            f"{where}: rescale by {slope:g} and {intercept:g} with Philips' scale {scale:g} is not "
            "finite"
        )
    return *found, True
