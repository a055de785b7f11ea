"""Rules about one series: a closed vocabulary over the facts that its headers state.

word   a run of letters and digits in a text, in any case; one that ends with `*` stands for all
       that begin so. `t1_mprage_SAG` has the words t1, mprage and sag.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field

from mmmed.config import Spec
from mmmed.readers.dicom.facts import SeriesFacts

TextFact = Literal[
    "modality",
    "description",
    "protocol",
    "image_type",
    "body_part",
    "dimensions",
    "sequence",
    "variant",
    "contrast_agent",
    "tracer",
    "units",
    "corrections",
    "decay_correction",
]
NumberFact = Literal[
    "images",
    "slices",
    "volumes",
    "thickest_mm",
    "head_to_foot_mm",
    "repetition_ms",
    "echo_ms",
    "inversion_ms",
    "flip_degrees",
]
Words = Annotated[tuple[str, ...], Field(min_length=1)]
_WORD = re.compile(r"[a-z]+[0-9]*[a-z]*|[0-9]+[a-z]*")


class HasValue(Spec):
    """A fact is, or holds, one of some values.

    Attributes:
        fact: which; texts are compared in any case.
        of: the values.
        unstated: the answer where no header says it.
    """

    kind: Literal["value"]
    fact: TextFact
    of: Words
    unstated: bool = False

    def holds(self, facts: SeriesFacts) -> bool:
        """Whether the rule is true of a series."""
        values = _values(facts, self.fact)
        allowed = {one.casefold() for one in self.of}
        return bool(allowed & {one.casefold() for one in values}) if values else self.unstated


class HasWord(Spec):
    """One of some texts has one of some words.

    Attributes:
        facts: the texts.
        of: the words.
        unstated: the answer where no header states any of the texts.
    """

    kind: Literal["words"]
    facts: Annotated[tuple[TextFact, ...], Field(min_length=1)]
    of: Words
    unstated: bool = False

    def holds(self, facts: SeriesFacts) -> bool:
        """Whether the rule is true of a series."""
        found = [word for fact in self.facts for word in words(" ".join(_values(facts, fact)))]
        return any(_is(word, self.of) for word in found) if found else self.unstated


class IsBetween(Spec):
    """A number lies between two, both included.

    Attributes:
        fact: which number.
        least: null for none.
        most: null for none.
        unstated: the answer where it cannot be known.
    """

    kind: Literal["between"]
    fact: NumberFact
    least: float | None = None
    most: float | None = None
    unstated: bool = False

    def holds(self, facts: SeriesFacts) -> bool:
        """Whether the rule is true of a series."""
        value = number(facts, self.fact)
        if value is None:
            return self.unstated
        above = self.least is None or value >= self.least
        return above and (self.most is None or value <= self.most)


Simple = Annotated[HasValue | HasWord | IsBetween, Field(discriminator="kind")]


class AnyOf(Spec):
    """At least one of some rules is true."""

    kind: Literal["any"]
    of: Annotated[tuple[Simple, ...], Field(min_length=1)]

    def holds(self, facts: SeriesFacts) -> bool:
        """Whether the rule is true of a series."""
        return any(rule.holds(facts) for rule in self.of)


class AllOf(Spec):
    """All of some rules are true."""

    kind: Literal["all"]
    of: Annotated[tuple[Simple, ...], Field(min_length=1)]

    def holds(self, facts: SeriesFacts) -> bool:
        """Whether the rule is true of a series."""
        return all(rule.holds(facts) for rule in self.of)


Rule = Annotated[HasValue | HasWord | IsBetween | AnyOf | AllOf, Field(discriminator="kind")]


def number(facts: SeriesFacts, fact: NumberFact) -> float | None:
    """A number about a series; None where it cannot be known."""
    if fact == "thickest_mm":
        return max(facts.voxel_mm) if facts.voxel_mm else None
    if fact == "volumes":
        return facts.images / facts.slices if facts.slices else None
    value = getattr(facts, fact)
    return None if value is None else float(value)


def words(text: str) -> list[str]:
    """The words of a text, in small letters."""
    return _WORD.findall(text.casefold())


def _values(facts: SeriesFacts, fact: TextFact) -> tuple[str, ...]:
    value = getattr(facts, fact)
    return tuple(one for one in ((value,) if isinstance(value, str) else value) if one)


def _is(word: str, of: Words) -> bool:
    plain = [one.casefold() for one in of]
    return any(word.startswith(one[:-1]) if one.endswith("*") else word == one for one in plain)
