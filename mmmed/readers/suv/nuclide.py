"""Half-lives of the radionuclides of PET, to check the one that a header states.

The nuclides are those of DICOM context group CID 4020 "PET Radionuclide", their half-lives those of
NUBASE2020 (Kondev, Wang, Huang, Naimi and Audi, Chin. Phys. C 45 (2021) 030001). Where the
evaluation that scanners have used for long differs from it by more than half the tolerance, that
one counts as well. Half-lives judge, they never stand in: a header that states none is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from pydicom.dataset import Dataset
from pydicom.sr.codedict import Collection, codes
from pydicom.sr.coding import Code

from mmmed.errors import UnitsError
from mmmed.readers.suv.element import missing, name
from mmmed.readers.suv.place import text_of
from mmmed.readers.suv.reading import Reading

TOLERANCE = 0.01
"""Share by which a stated half-life may differ; scanners take 18F for 6586.2 or 6588 s,
and it is 6584 s."""

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0
_YEAR = 365.2422 * _DAY
"""A tropical year, in which NUBASE2020 counts."""

HALF_LIVES: Mapping[str, float] = MappingProxyType(
    {
        "11C": 20.3402 * _MINUTE,
        "13N": 9.965 * _MINUTE,
        "14O": 70.621,
        "15O": 122.266,
        "18F": 109.734 * _MINUTE,
        "22Na": 2.6019 * _YEAR,
        "38K": 7.651 * _MINUTE,
        "43Sc": 3.891 * _HOUR,
        "44Sc": 4.0421 * _HOUR,
        "45Ti": 184.8 * _MINUTE,
        "51Mn": 45.81 * _MINUTE,
        "52Fe": 8.275 * _HOUR,
        "52Mn": 5.591 * _DAY,
        "52mMn": 21.1 * _MINUTE,
        "60Cu": 23.7 * _MINUTE,
        "61Cu": 3.343 * _HOUR,
        "62Cu": 9.672 * _MINUTE,
        "62Zn": 9.193 * _HOUR,
        "64Cu": 12.7004 * _HOUR,
        "66Ga": 9.304 * _HOUR,
        "68Ga": 67.842 * _MINUTE,
        "68Ge": 271.05 * _DAY,
        "70As": 52.6 * _MINUTE,
        "72As": 26.0 * _HOUR,
        "73Se": 7.15 * _HOUR,
        "75Br": 96.7 * _MINUTE,
        "76Br": 16.2 * _HOUR,
        "77Br": 57.04 * _HOUR,
        "82Rb": 1.2575 * _MINUTE,
        "86Y": 14.74 * _HOUR,
        "89Zr": 78.360 * _HOUR,
        "90Nb": 14.60 * _HOUR,
        "90Y": 64.05 * _HOUR,
        "94mTc": 52.0 * _MINUTE,
        "124I": 4.1760 * _DAY,
        "152Tb": 17.5 * _HOUR,
    }
)
"""Seconds."""

EARLIER: Mapping[str, float] = MappingProxyType(
    {
        "44Sc": 3.97 * _HOUR,
        "51Mn": 46.2 * _MINUTE,
        "66Ga": 9.49 * _HOUR,
        "82Rb": 1.273 * _MINUTE,
    }
)
"""What these were taken for before, in seconds."""

ELEMENTS = MappingProxyType(
    {
        "Carbon": "C",
        "Nitrogen": "N",
        "Oxygen": "O",
        "Fluorine": "F",
        "Sodium": "Na",
        "Potassium": "K",
        "Scandium": "Sc",
        "Titanium": "Ti",
        "Manganese": "Mn",
        "Iron": "Fe",
        "Copper": "Cu",
        "Zinc": "Zn",
        "Gallium": "Ga",
        "Germanium": "Ge",
        "Arsenic": "As",
        "Selenium": "Se",
        "Bromine": "Br",
        "Rubidium": "Rb",
        "Yttrium": "Y",
        "Zirconium": "Zr",
        "Niobium": "Nb",
        "Technetium": "Tc",
        "Iodine": "I",
        "Terbium": "Tb",
    }
)
_MASS_FIRST = re.compile(r"(?<![0-9A-Za-z])(\d{2,3}m?)[ -]?([A-Z][a-z]?|[A-Z][a-z]{3,})(?![a-z])")
_MASS_LAST = re.compile(r"(?<![A-Za-z])([A-Z][a-z]?|[A-Z][a-z]{3,})[ -]?(\d{2,3}m?)(?![0-9A-Za-z])")


def half_life(reading: Reading) -> float:
    """The half-life that the scanner used, in seconds, where it fits the radionuclide.

    Raises:
        UnitsError: none is stated, or it contradicts the radionuclide, or, where that is not
            stated, it is the half-life of no radionuclide of PET.
    """
    keyword = "RadionuclideHalfLife"
    stated = reading.isotope_number(keyword)
    if stated is None:
        raise missing(keyword)
    nuclide = _stated_nuclide(reading)
    if nuclide is not None:
        if not _fits(stated, nuclide):
            raise UnitsError(
                f"{name(keyword)} is {stated:g} s, but the radionuclide is {nuclide}, whose "
                f"half-life is {HALF_LIVES[nuclide]:g} s"
            )
        return stated
    fitting = [one for one in HALF_LIVES if _fits(stated, one)]
    if not fitting:
        raise UnitsError(
            f"{name(keyword)} is {stated:g} s, the half-life of no radionuclide of PET, and "
            f"{name('RadionuclideCodeSequence')} does not say which it was"
        )
    reading.note(f"the radionuclide is not stated; the half-life is that of {' or '.join(fitting)}")
    return stated


def check_half_life(reading: Reading) -> None:
    """Refuse a half-life that contradicts the radionuclide, where one is stated.

    Raises:
        UnitsError: it does.
    """
    if reading.isotope_number("RadionuclideHalfLife") is not None:
        half_life(reading)


def _fits(stated: float, nuclide: str) -> bool:
    known = (HALF_LIVES[nuclide], EARLIER.get(nuclide, HALF_LIVES[nuclide]))
    return any(abs(stated - one) <= TOLERANCE * one for one in known)


def _stated_nuclide(reading: Reading) -> str | None:
    """The nuclide by its code, else by the text beside the code, else by the drug's name."""
    for item in reading.isotope_items("RadionuclideCodeSequence"):
        known = standard_meaning(item, codes.cid4020)
        found = named_nuclide(known) or named_nuclide(text_of(item, "CodeMeaning"))
        if found:
            return found
    return named_nuclide(reading.isotope_text("Radiopharmaceutical") or "")


def standard_meaning(item: Dataset, group: Collection) -> str:
    """What a coded concept is called in a context group of DICOM PS3.16; "" where not in it."""
    value, scheme = text_of(item, "CodeValue"), text_of(item, "CodingSchemeDesignator")
    if scheme in ("99SDM", "SNM3"):
        scheme = "SRT"  # earlier designators of the same codes
    code = Code(value, scheme, "")
    return next((known.meaning for known in group.concepts.values() if known == code), "")


def named_nuclide(text: str) -> str | None:
    """The nuclide that a text names as `^18^Fluorine`, `18F`, `F-18`, `[18F]FDG`; None if none."""
    plain = text.replace("^", " ").replace("[", " ").replace("]", " ")
    found = [(one[1], one[2]) for one in _MASS_FIRST.finditer(plain)]
    found += [(one[2], one[1]) for one in _MASS_LAST.finditer(plain)]
    named = [f"{mass}{ELEMENTS.get(element, element)}" for mass, element in found]
    return next((one for one in named if one in HALF_LIVES), None)
