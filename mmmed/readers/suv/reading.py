"""Asking all headers of a series at once, and keeping what they answered.

place     a data set that may state a value: the header of a file, or one item of the functional
          groups of an enhanced file, shared or of one frame
isotope   the item of Radiopharmaceutical Information Sequence (0054,0016)

A value is asked for by keyword and looked for in every place. Headers that state different values
are refused, except where the question allows several. Text is taken as it is written: nothing is
converted that is not asked for, and what is not ASCII or not printable is replaced by `?`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from pydicom.datadict import dictionary_has_tag, dictionary_VR, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag

from mmmed.errors import Collecting, UnitsError, join
from mmmed.readers.dicom.damage import DAMAGED
from mmmed.readers.suv.derivation import Evidence

GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
ISOTOPES = "RadiopharmaceuticalInformationSequence"

_SEQUENCES = ("SQ", "UN", None)
"""How the VR of a sequence may be stated: not at all where it is implicit."""

_BINARY = ("FD", "FL", "SL", "SS", "SV", "UL", "US", "UV")
"""VR of numbers that are not written as text (DICOM PS3.5 6.2)."""

_LONGEST = 64
"""Characters of a value that are shown and kept."""


@dataclass(frozen=True)
class Reading:
    """The headers of one series, and what was found in them so far.

    Attributes:
        places: every data set that may state a value, file by file.
        isotopes: the items of the radiopharmaceutical's sequences; the places themselves where
            there is none, as some archives flatten it.
        path: branches of the decision taken.
        notes: what a reader of the values should know.
        seen: evidence by tag and value.
    """

    places: tuple[Dataset, ...]
    isotopes: tuple[Dataset, ...]
    path: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seen: dict[tuple[str, str], Evidence] = field(default_factory=dict)

    @classmethod
    def of(cls, headers: Sequence[Dataset], *, several_isotopes: bool = False) -> Reading:
        """A reading of these headers; nothing is asked yet.

        Args:
            headers: of a series.
            several_isotopes: whether headers may state several radiopharmaceuticals, none of
                which is asked then.

        Raises:
            UnitsError: there is no header, or a header states several radiopharmaceuticals.
        """
        if not headers:
            raise UnitsError("no header to read")
        places = tuple(place for header in headers for place in _places(header))
        items = [items_of(place, ISOTOPES) for place in places]
        most = max(len(one) for one in items)
        if most > 1 and not several_isotopes:
            raise UnitsError(
                f"{name(ISOTOPES)} states {most} radiopharmaceuticals; whose dose made the image "
                "cannot be told"
            )
        return cls(places=places, isotopes=tuple(one[0] for one in items if one) or places)

    def texts(self, keyword: str) -> tuple[tuple[str, ...], ...]:
        """The different values that the headers state, each a tuple of its parts, none empty."""
        return tuple(self._found(tag_of(keyword), self.places, label=keyword))

    def text(self, keyword: str) -> str | None:
        """The one value of the series; None where no header states it.

        Raises:
            UnitsError: headers state different ones.
        """
        return self._one(keyword, self._found(tag_of(keyword), self.places, label=keyword))

    def isotope_texts(self, keyword: str) -> tuple[tuple[str, ...], ...]:
        """The different values that are stated of the radiopharmaceutical."""
        return tuple(self._found(tag_of(keyword), self.isotopes, label=keyword))

    def isotope_text(self, keyword: str) -> str | None:
        """The same, of the radiopharmaceutical."""
        return self._one(keyword, self._found(tag_of(keyword), self.isotopes, label=keyword))

    def number(self, keyword: str) -> float | None:
        """The one number of the series; None where no header states it.

        Raises:
            UnitsError: headers state different ones, or no number.
        """
        return self._number(keyword, self._found(tag_of(keyword), self.places, label=keyword))

    def isotope_number(self, keyword: str) -> float | None:
        """The same, of the radiopharmaceutical."""
        return self._number(keyword, self._found(tag_of(keyword), self.isotopes, label=keyword))

    def private(self, creator: str, group: int, element: int, *, label: str) -> tuple[str, ...]:
        """The different texts of a private element whose block `creator` reserves."""
        found: Counter[tuple[str, ...]] = Counter()
        for place in self.places:
            tag = _private_tag(place, creator, group, element)
            if tag is not None:
                found.update(_stated(place, tag))
        self._keep(f"({group:04X},xx{element:02X})", label, found)
        return tuple("\\".join(parts) for parts in found)

    def isotope_items(self, sequence: str) -> tuple[Dataset, ...]:
        """The items of a sequence that describes the radiopharmaceutical."""
        return tuple(item for isotope in self.isotopes for item in items_of(isotope, sequence))

    def rows(self, *keywords: str) -> set[tuple[str | None, ...]]:
        """The different combinations of values that places state together.

        Only places that state the first one count; the others may stand in any place of the file,
        and are None where they do not.
        """
        tags = [tag_of(keyword) for keyword in keywords]
        pairs = zip(tags, keywords, strict=True)
        elsewhere = [self._found(tag, self.places, label=key) for tag, key in pairs]
        common = [_single(found) for found in elsewhere]
        rows: set[tuple[str | None, ...]] = set()
        for place in self.places:
            here = [_single(_stated(place, tag)) for tag in tags]
            if here[0] is not None:
                rows.add(tuple(one or other for one, other in zip(here, common, strict=True)))
        return rows

    def note(self, text: str) -> None:
        """Keep what a reader of the values should know."""
        self.notes.append(text)

    def step(self, text: str) -> None:
        """Keep a branch of the decision."""
        self.path.append(text)

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """What was found, in the order of the questions."""
        return tuple(self.seen.values())

    def _found(
        self, tag: BaseTag, places: tuple[Dataset, ...], *, label: str
    ) -> Counter[tuple[str, ...]]:
        found: Counter[tuple[str, ...]] = Counter()
        for place in places:
            found.update(_stated(place, tag))
        self._keep(_spelled(tag), label, found)
        return found

    def _keep(self, tag: str, label: str, found: Counter[tuple[str, ...]]) -> None:
        for parts, count in found.items():
            value = "\\".join(parts)[:_LONGEST]
            self.seen[tag, value] = Evidence(tag=tag, name=label, value=value, headers=count)

    def _one(self, keyword: str, found: Counter[tuple[str, ...]]) -> str | None:
        if len(found) > 1:
            said = ", ".join(f"{' '.join(parts)[:_LONGEST]} ({n})" for parts, n in _most(found))
            raise UnitsError(f"{name(keyword)} differs within the series: {said}")
        return "\\".join(next(iter(found))) if found else None

    def _number(self, keyword: str, found: Counter[tuple[str, ...]]) -> float | None:
        numbers = {parts: as_number(keyword, parts) for parts in found}
        if len(set(numbers.values())) > 1:
            self._one(keyword, found)
        return next(iter(numbers.values()), None)


def tag_of(keyword: str) -> BaseTag:
    """The tag of a keyword of the standard."""
    number = tag_for_keyword(keyword)
    if number is None:
        raise KeyError(keyword)
    return Tag(number)


def name(keyword: str) -> str:
    """How messages call a value: `RadionuclideTotalDose (0018,1074)`."""
    return f"{keyword} {_spelled(tag_of(keyword))}"


def missing(*keywords: str) -> UnitsError:
    """The error of values that no header states; any one of them would do."""
    return UnitsError(f"{' or '.join(name(keyword) for keyword in keywords)} is missing")


def as_number(keyword: str, parts: tuple[str, ...]) -> float:
    """One finite number.

    Raises:
        UnitsError: it is none.
    """
    try:
        value = float(parts[0]) if len(parts) == 1 else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UnitsError(f"{name(keyword)} is {' '.join(parts)[:_LONGEST]!r}, which is no number")
    return value


def text_of(place: Dataset, keyword: str) -> str:
    """The one text that a place states; "" where it states none."""
    return _single(_stated(place, tag_of(keyword))) or ""


def together(*questions: Callable[[], float]) -> tuple[float, ...]:
    """The answers to all questions.

    Raises:
        UnitsError: one line per question that has none.
    """
    answers: list[float] = []
    faults: list[str] = []
    for question in questions:
        with Collecting(faults):
            answers.append(question())
    settle(faults)
    return tuple(answers)


def settle(faults: Sequence[str]) -> None:
    """Raise faults that were found together, each once.

    Raises:
        UnitsError: there are any.
    """
    if faults:
        raise UnitsError(join(dict.fromkeys(faults)))


def _places(header: Dataset) -> Iterator[Dataset]:
    """The header, and below it every item of the macros of its functional groups."""
    yield header
    for group in GROUPS:
        for frame in items_of(header, group):
            for tag in list(frame.keys()):
                if frame.get_item(tag).VR in _SEQUENCES:
                    yield from _items_at(frame, tag)


def items_of(place: Dataset, keyword: str) -> Sequence[Dataset]:
    """The items of a sequence of a place; none where it is not there or damaged."""
    return _items_at(place, tag_of(keyword))


def _items_at(place: Dataset, tag: BaseTag) -> Sequence[Dataset]:
    """The items of a sequence; none where it is not there, no sequence, or damaged."""
    if tag not in place:
        return ()
    try:
        value = place[tag].value
    except DAMAGED:
        return ()
    return [item for item in value if isinstance(item, Dataset)] if _listed(value) else ()


def _listed(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def _stated(place: Dataset, tag: BaseTag) -> list[tuple[str, ...]]:
    """The value that a place states, as one tuple of texts; empty where it states none."""
    if tag not in place:
        return []
    parts = tuple(_plain(one) for one in _parts(_value(place, tag)))
    return [parts] if any(parts) else []


def _value(place: Dataset, tag: BaseTag) -> object:
    """The value as it is written, or the numbers of a binary one; None where it is damaged."""
    element = place.get_item(tag)
    if isinstance(element.value, bytes) and _vr(element.VR, tag) in _BINARY:
        try:
            return place[tag].value
        except DAMAGED:
            return None
    return element.value


def _vr(stated: str | None, tag: BaseTag) -> str:
    if stated not in (None, "UN"):
        return str(stated)
    return dictionary_VR(tag) if dictionary_has_tag(tag) else "UN"


def _parts(value: object) -> Sequence[object]:
    if value is None:
        return ()
    if isinstance(value, bytes):
        return value.decode("ascii", errors="replace").split("\\")
    if isinstance(value, str):
        return value.split("\\")
    return value if isinstance(value, Sequence) else [value]


def _plain(value: object) -> str:
    text = str(value).strip(" \0")
    return "".join(one if one.isascii() and one.isprintable() else "?" for one in text)


def _single(found: Counter[tuple[str, ...]] | list[tuple[str, ...]]) -> str | None:
    """The one value; None where there is none or several."""
    return "\\".join(next(iter(found))) if len(found) == 1 else None


def _private_tag(place: Dataset, creator: str, group: int, element: int) -> BaseTag | None:
    """The tag of an element of a private block (DICOM PS3.5 7.8.1); None without the block."""
    for reserved in [tag for tag in place.keys() if tag.group == group]:  # noqa: SIM118 - a Dataset iterates over elements
        if 0x10 <= reserved.element < 0x100 and _stated(place, reserved) == [(creator,)]:
            return Tag(group, (reserved.element << 8) + element)
    return None


def _spelled(tag: BaseTag) -> str:
    return f"({tag.group:04X},{tag.element:04X})"


def _most(found: Counter[tuple[str, ...]]) -> list[tuple[tuple[str, ...], int]]:
    return sorted(found.items(), key=lambda one: (-one[1], one[0]))[:4]
