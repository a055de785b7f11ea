"""Numbers of headers, spelled in one way, so that equal ones are equal texts.

Scanners write 4.9, 4.90 and 4.9000000954 for one echo time. Six digits tell apart what was meant to
differ; whole numbers keep all, and large ones a decimal.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable

from mmmed.readers.dicom.syntax import EXPLICIT_BIG

MOST = 64
"""Numbers of one element that are looked at."""

LARGE = 1e5
"""From here on six digits would be less than one decimal."""


def spelled(values: Iterable[float]) -> str:
    """Numbers with a backslash between."""
    return "\\".join(map(_spelled, values))


def decimals(text: str) -> str:
    """Numbers that are written as text; what is none stays as it is."""
    try:
        values = [float(part) for part in text.split("\\")[:MOST]] if text else []
    except ValueError:
        return text
    return spelled(values) if all(map(math.isfinite, values)) else text


def of_bytes(raw: bytes, kind: str, *, syntax: str) -> str:
    """Numbers in bytes; '' where the bytes are none of that kind.

    Args:
        raw: the value of an element.
        kind: of each number, a letter of `struct`.
        syntax: UID of the transfer syntax, which gives the order of bytes.
    """
    size = struct.calcsize(f"<{kind}")
    count = min(len(raw) // size, MOST)
    if not raw or len(raw) % size:
        return ""
    order = ">" if syntax == EXPLICIT_BIG else "<"
    values = struct.unpack_from(f"{order}{count}{kind}", raw)
    return spelled(values) if all(map(math.isfinite, values)) else ""


def _spelled(value: float) -> str:
    if value == round(value):
        return f"{value + 0.0:.0f}"
    return f"{value:.6g}" if abs(value) < LARGE else f"{value:.1f}"
