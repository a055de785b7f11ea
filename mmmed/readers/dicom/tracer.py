"""Which substance a PET shows, as its radiopharmaceutical is named and coded.

name   Radiopharmaceutical (0018,0031), the meaning beside Radiopharmaceutical Code Sequence
       (0054,0304), and what DICOM calls that code in its context group CID 4021
nuclide   `F-18`, `^18^Fluorine`: says what radiates, not what it is bound to
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pydicom.sr.codedict import codes

from mmmed.readers.dicom.line import one_line
from mmmed.readers.suv.nuclide import ELEMENTS, standard_meaning
from mmmed.readers.suv.place import text_of
from mmmed.readers.suv.reading import Reading

_SYMBOLS = "|".join(sorted({one.lower() for pair in ELEMENTS.items() for one in pair}))
_NUCLIDE = re.compile(rf"\d+m?|({_SYMBOLS})\d{{0,3}}m?|\d{{1,3}}m?({_SYMBOLS})")
_WORD = re.compile(r"[a-z0-9]+")
_SAYS_NOTHING = frozenset(
    {"solution", "injection", "unknown", "other", "none", "radiopharmaceutical"}
)
"""What stands in the place of a name and is none."""


def tracer(reading: Reading) -> str:
    """The names of the substance, each that says more than those before; "" where none does."""
    told: list[str] = []
    known: set[str] = set()
    for name in _names(reading):
        substance = _substance(name)
        if not substance <= known:
            told.append(name)
            known |= substance
    return " / ".join(told)


def _names(reading: Reading) -> Iterator[str]:
    for parts in reading.isotope_texts("Radiopharmaceutical"):
        yield one_line(" ".join(parts))
    for item in reading.isotope_items("RadiopharmaceuticalCodeSequence"):
        yield one_line(text_of(item, "CodeMeaning"))
        yield standard_meaning(item, codes.cid4021)


def _substance(name: str) -> set[str]:
    """The words of a name that are neither a nuclide nor a filler."""
    words = _WORD.findall(name.casefold())
    return {one for one in words if not _NUCLIDE.fullmatch(one)} - _SAYS_NOTHING
