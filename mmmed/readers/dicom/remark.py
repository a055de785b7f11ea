"""What is unusual about a file and its values, one line each."""

from __future__ import annotations

from pydicom.uid import JPEGBaseline8Bit, JPEGExtended12Bit

from mmmed.readers.dicom.elements import Elements
from mmmed.readers.dicom.frame import Stored
from mmmed.readers.dicom.pixels import NATIVE
from mmmed.readers.dicom.tag import BITS, HIGH, PHOTOMETRIC, SIGNED

LOSSY, MAPPING = 0x00282110, 0x00409096
PIXEL_DATA = 0x7FE00010
TAGS = frozenset({SIGNED, PHOTOMETRIC, LOSSY, MAPPING, BITS, HIGH})
"""What must be read of every file."""

SCALED = "values are on Philips' floating-point scale (2005,100E)"
MAPPED = "a Real World Value Mapping is stated and not applied: values are those of the rescale"
_INVERTED = "MONOCHROME1, shown inverted: values are as stored"
_UNSTATED = (
    "PhotometricInterpretation (0028,0004) is missing; one sample per pixel is taken as grey"
)
_UNSIGNED = "PixelRepresentation (0028,0103) is missing; pixels are read as unsigned"
_SHIFTED = (
    "values stand in the bits up to HighBit (0028,0102), not in the lowest; those below are none"
)
_SURPLUS = "its pixels take more bytes than its header describes; the rest is left out"
_LOST = "its pixels were compressed with loss"


def surplus(stored: Stored) -> tuple[str, ...]:
    """Whether a file has more pixels than its header describes; one byte may make them even."""
    needed = stored.rows * stored.columns * (stored.allocated // 8) * stored.frames
    there = stored.elements.length
    if stored.elements.syntax not in NATIVE or there is None or there <= needed + 1:
        return ()
    return (_SURPLUS,)


def remarks(elements: Elements) -> tuple[str, ...]:
    """What to know of a file and its values before its rescale is looked at."""
    photometric = elements.text(PHOTOMETRIC)
    bits, high = elements.whole(BITS), elements.whole(HIGH)
    lossy = elements.syntax in (JPEGBaseline8Bit, JPEGExtended12Bit)
    told = {
        _INVERTED: photometric == "MONOCHROME1",
        _UNSTATED: not photometric,
        _UNSIGNED: elements.whole(SIGNED) is None and elements.pixels == PIXEL_DATA,
        _LOST: lossy or elements.text(LOSSY) == "01",
        _SHIFTED: bits is not None and high is not None and high >= bits,
        MAPPED: elements.has_items(MAPPING),
    }
    written = (elements.fault,) if elements.fault else ()
    return written + tuple(text for text, is_so in told.items() if is_so)
