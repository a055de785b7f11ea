"""How many slices, images and parts a series says it has, held against what is there.

A series whose last slices were never copied has no gap: only its headers tell.

promise        the number of slices of each volume, which every PET must state (PS3.3, C.8.9.1);
               fewer are refused, but one alone is read as the slice it is
hint           a number that need not be stated, or is a vendor's own; fewer are noted
concatenation  one enhanced image as several files, each a part (PS3.3, C.7.6.16)
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmmed.errors import SeriesError
from mmmed.readers.dicom.dimension import Source
from mmmed.readers.dicom.elements import Elements
from mmmed.readers.dicom.place import places
from mmmed.readers.dicom.private import Private
from mmmed.readers.dicom.spacing import ROUNDED_MM
from mmmed.readers.dicom.split import Group
from mmmed.readers.dicom.tag import name_of

_MODALITY = Source(0x00080060)
_SLICES = Source(0x00540081, "H")
_SERIES_TYPE = Source(0x00541000)
_FACTORS = {
    "DYNAMIC": (Source(0x00540101, "H"),),
    "GATED": (Source(0x00540061, "H"), Source(0x00540071, "H")),
}
"""Time slices, or R-R intervals and time slots of a PET: their product is the number of volumes. A
PET of another type may state them and mean something else."""

_POSITION, _LOCATION = Source(0x00200032), Source(0x00201041, "decimal")
"""Where a slice lies, and where the vendor counts it along the stack."""

_CONCATENATION, _PART, _PARTS = Source(0x00209161), Source(0x00209162, "H"), Source(0x00209163, "H")

_HINTS = (
    ("LocationsInAcquisition of GE", "slices", Source(Private("GEMS_RELA_01", 0x0021, 0x4F), "h")),
    (
        "NumberOfSlicesMR of Philips",
        "slices",
        Source(Private("Philips Imaging DD 001", 0x2001, 0x18), "i"),
    ),
    (name_of(0x00200105), "volumes", Source(0x00200105, "decimal")),
    (name_of(0x00201002), "images", Source(0x00201002, "decimal")),
)
"""What it is called, what it counts, and where it stands."""

MOST_DIGITS = 9
"""Of a number that counts anything."""

TAGS = frozenset(
    tag
    for source in (
        _MODALITY,
        _SLICES,
        _SERIES_TYPE,
        *(source for sources in _FACTORS.values() for source in sources),
        _POSITION,
        _LOCATION,
        _CONCATENATION,
        _PART,
        _PARTS,
        *(source for _, _, source in _HINTS),
    )
    for tag in source.tags
)
"""What must be read of every file."""


@dataclass(frozen=True)
class Census:
    """What the files of one series state together.

    Attributes:
        slices: promised of each volume; None where nothing is.
        hints: what each is called, what it counts, and the number.
        parts: files of a concatenation that is not whole -> what it lacks.
    """

    slices: int | None
    hints: tuple[tuple[str, str, int], ...]
    parts: Mapping[Path, str]

    def check(self, group: Group) -> None:
        """A group has the slices that were promised, from whole concatenations.

        Raises:
            SeriesError: it lacks some.
        """
        lacking = next((self.parts[one.path] for one in group.frames if one.path in self.parts), "")
        if lacking:
            raise SeriesError(f"{lacking}; copy the series again")
        there = _slices(group)
        if self.slices is not None and 1 < there < self.slices:
            raise SeriesError(
                f"{there} of the {self.slices} slices that NumberOfSlices (0054,0081) states are "
                f"here (first {group.frames[0].uid}); copy the series again"
            )

    def notes(self, group: Group, *, volumes: int, images: int) -> tuple[str, ...]:
        """What the headers state more of than there is.

        Args:
            group: one of the series.
            volumes: groups of the series.
            images: frames in all of them.
        """
        there = {"slices": _slices(group), "volumes": volumes, "images": images}
        promised = [("NumberOfSlices (0054,0081)", "slices", self.slices)] if self.slices else []
        return tuple(
            f"{name} states {stated} {what}, {there[what]} are here"
            for name, what, stated in (*promised, *self.hints)
            if there[what] < stated
        )


def census(files: Sequence[Elements]) -> Census:
    """What files state of their number; a number that they do not agree on is left aside.

    Raises:
        SeriesError: all state one position and several places along the stack.
    """
    _check_positions(files)
    is_pet = _agreed(files, _MODALITY) == "PT"
    hints = [(name, what, _number(_agreed(files, source))) for name, what, source in _HINTS]
    if is_pet:
        factors = _FACTORS.get(_agreed(files, _SERIES_TYPE).split("\\")[0], ())
        volumes = math.prod(_number(_agreed(files, source)) or 1 for source in factors)
        hints.append(("the number of time slices, intervals and slots", "volumes", volumes))
    return Census(
        slices=_number(_agreed(files, _SLICES)) if is_pet else None,
        hints=tuple((name, what, number) for name, what, number in hints if number),
        parts=_incomplete(files),
    )


def _agreed(files: Iterable[Elements], source: Source) -> str:
    """The one value that files state, '' where there is none or several."""
    tags = source.tags
    stated = (elements for elements in files if not tags.isdisjoint(elements.values))
    found = {source.value(elements) for elements in stated} - {""}
    return found.pop() if len(found) == 1 else ""


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) <= MOST_DIGITS else None


def _incomplete(files: Sequence[Elements]) -> dict[Path, str]:
    """Files of concatenations that lack a part."""
    concatenations: dict[str, list[Elements]] = defaultdict(list)
    for elements in files:
        if name := _CONCATENATION.value(elements):
            concatenations[name].append(elements)
    found: dict[Path, str] = {}
    for parts in concatenations.values():
        numbers = {_number(_PART.value(one)) or 0 for one in parts}
        total = _number(_agreed(parts, _PARTS)) or max(numbers)
        lost = total - sum(1 <= one <= total for one in numbers)
        if lost:
            text = f"{lost} of the {total} parts of an enhanced image (concatenation) are missing"
            found |= {one.path: text for one in parts}
    return found


def _check_positions(files: Sequence[Elements]) -> None:
    stated = (_millimetres(elements) for elements in files)
    locations = sorted(one for one in stated if one is not None)
    spread = locations[-1] - locations[0] if locations else 0.0
    if spread > ROUNDED_MM and _agreed(files, _POSITION):
        raise SeriesError(
            f"{files[0].path} and {len(files) - 1} others: ImagePositionPatient (0020,0032) is the "
            f"same in all, but SliceLocation (0020,1041) goes from {locations[0]:g} to "
            f"{locations[-1]:g} mm: positions were lost; export the series again"
        )


def _millimetres(elements: Elements) -> float | None:
    """SliceLocation; a malformed one is as good as none."""
    try:
        return float(_LOCATION.value(elements))
    except ValueError:
        return None


def _slices(group: Group) -> int:
    return int(places(group.frames).max()) + 1
