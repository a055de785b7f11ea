"""Asking all headers of a series at once, and keeping what they answered.

isotope   the item of Radiopharmaceutical Information Sequence (0054,0016)

A value is asked for by keyword and looked for in every place. Headers that state different values
are refused, except where the question allows several.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from mmmed.errors import UnitsError
from mmmed.readers.suv.derivation import Evidence
from mmmed.readers.suv.element import LONGEST, as_number, name, spelled, tag_of
from mmmed.readers.suv.place import items_of, places_of, private_tag, single, stated

ISOTOPES = "RadiopharmaceuticalInformationSequence"


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
        places = tuple(place for header in headers for place in places_of(header))
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
            tag = private_tag(place, creator, group, element)
            if tag is not None:
                found.update(stated(place, tag))
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
        common = [single(found) for found in elsewhere]
        rows: set[tuple[str | None, ...]] = set()
        for place in self.places:
            here = [single(stated(place, tag)) for tag in tags]
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
            found.update(stated(place, tag))
        self._keep(spelled(tag), label, found)
        return found

    def _keep(self, tag: str, label: str, found: Counter[tuple[str, ...]]) -> None:
        for parts, count in found.items():
            value = "\\".join(parts)[:LONGEST]
            self.seen[tag, value] = Evidence(tag=tag, name=label, value=value, headers=count)

    def _one(self, keyword: str, found: Counter[tuple[str, ...]]) -> str | None:
        if len(found) > 1:
            said = ", ".join(f"{' '.join(parts)[:LONGEST]} ({n})" for parts, n in _most(found))
            raise UnitsError(f"{name(keyword)} differs within the series: {said}")
        return "\\".join(next(iter(found))) if found else None

    def _number(self, keyword: str, found: Counter[tuple[str, ...]]) -> float | None:
        numbers = {parts: as_number(keyword, parts) for parts in found}
        if len(set(numbers.values())) > 1:
            self._one(keyword, found)
        return next(iter(numbers.values()), None)


def _most(found: Counter[tuple[str, ...]]) -> list[tuple[tuple[str, ...], int]]:
    return sorted(found.items(), key=lambda one: (-one[1], one[0]))[:4]
