"""What pydicom and its plugins raise over damaged content."""

from __future__ import annotations

import struct

from pydicom.errors import BytesLengthException, InvalidDicomError

DAMAGED: tuple[type[Exception], ...] = (
    ArithmeticError,
    AttributeError,
    BytesLengthException,
    EOFError,
    InvalidDicomError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
)
