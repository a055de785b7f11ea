"""JPEG with loss of 12-bit pixels (process 4 of ITU-T T.81), by GDCM.

pydicom's own use of GDCM refuses these. The library chooses its decoder by the bits that it is told
a pixel takes; told 12, it gives what libjpeg's decoder of 12-bit samples gives, bit by bit.
"""

from __future__ import annotations

import gdcm
import numpy as np

from mmmed.errors import DataError

BITS = 12
_TAG, _SYNTAX = (0x7FE0, 0x0010), "1.2.840.10008.1.2.4.51"


def decode(frame: bytes, *, rows: int, columns: int, signed: bool, where: str) -> np.ndarray:
    """One codestream as (rows, columns) 16-bit integers.

    Args:
        frame: the codestream, known to be of this size and precision.
        rows: of the image.
        columns: of the image.
        signed: whether the header states two's complement.
        where: the file, for messages.

    Raises:
        DataError: it is damaged.
    """
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(frame)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(*_TAG))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((columns, rows, 1))
    image.SetDataElement(element)
    grey = gdcm.PhotometricInterpretation.GetPIType("MONOCHROME2")
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(grey))
    image.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(_SYNTAX)))
    image.SetPixelFormat(gdcm.PixelFormat(1, BITS, BITS, BITS - 1, int(signed)))
    text = image.GetBuffer()  # bytes as str, each that is no character as a surrogate
    pixels = b"" if text is None else text.encode("utf-8", "surrogateescape")
    if len(pixels) != rows * columns * 2:
        raise DataError(f"{where}: a damaged JPEG of 12 bits; copy it again")
    return np.frombuffer(pixels, "<i2" if signed else "<u2").reshape(rows, columns)
