"""Magnification: um per pixel, of a file, of a table, and whether two are the same.

um per pixel is the one measure: objectives of one power give 0.22 to 0.28 um per pixel on one
scanner or another, and levels of a pyramid mean nothing by themselves. A slide of 0.25 is what is
called 40x, 0.5 is 20x, 1 is 10x.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from mmmed.errors import SlideError
from mmmed.readers.dicom.line import one_line

TOLERANCE = 0.05
"""Two magnifications are one where the ratio is within this of 1 (as in MONAI's `mpp_rtol`)."""

FINEST, COARSEST = 0.05, 20.0
"""um per pixel that the finest level of a slide can have: below light's resolution by four, and a
coarse export. Beyond stand values in mm or nm, and resolutions of a printer (72 dpi is 353 um)."""

ADVICE = "give its um per pixel in a table wsi,mpp"

_ACROSS, _DOWN, _POWER = "openslide.mpp-x", "openslide.mpp-y", "openslide.objective-power"


def offered(finest: float, mpp: float) -> bool:
    """Whether a slide of `finest` um per pixel has a magnification: nothing finer than its own."""
    return finest <= mpp * (1 + TOLERANCE)


def same(mpp: float, other: float) -> bool:
    """Whether two magnifications count as one."""
    return abs(mpp / other - 1) <= TOLERANCE


def checked_mpp(mpp: float) -> float:
    """A magnification that a slide can have, um per pixel.

    Raises:
        SlideError: it is no number from `FINEST` to `COARSEST`.
    """
    if not FINEST <= mpp <= COARSEST:
        raise SlideError(
            f"{mpp:g} um per pixel cannot be: a slide has {FINEST:g} to {COARSEST:g}; "
            "look whether it is in mm or nm, or a printer's resolution"
        )
    return float(mpp)


def stated_mpp(properties: Mapping[str, str]) -> float:
    """The magnification of the finest level, by a file's properties as OpenSlide names them.

    The mean of both axes; an objective's power is never taken for it.

    Raises:
        SlideError: none is stated, it cannot be, or it differs between the axes.
    """
    texts = properties.get(_ACROSS), properties.get(_DOWN)
    if texts[0] is None or texts[1] is None:
        power = properties.get(_POWER)
        beside = f" (an objective of {one_line(power)}x is no measure of it)" if power else ""
        raise SlideError(f"states no um per pixel{beside}; {ADVICE}")
    across, down = (_number(text) for text in texts if text is not None)
    try:
        checked_mpp(across)
        checked_mpp(down)
    except SlideError as error:
        raise SlideError(f"{error}; {ADVICE}") from error
    if not same(across, down):
        raise SlideError(
            f"its pixels are {across:g} x {down:g} um, not square within {TOLERANCE:.0%}; "
            f"where only the number is wrong, {ADVICE}"
        )
    return (across + down) / 2


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
