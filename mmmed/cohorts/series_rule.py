"""Rules about one series: a closed vocabulary over the facts that its headers state.

word   a run of letters and digits in a text, in any case; one that ends with `*` stands for all
       that begin so. `t1_mprage_SAG` has the words t1, mprage and sag. Several with spaces between
       them stand for themselves in this order: `av 45` is in `18F-AV-45`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Literal, get_args

from pydantic import Field, field_validator

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
    "missing_slices",
    "orientations",
    "volumes",
    "thickest_mm",
    "head_to_foot_mm",
    "repetition_ms",
    "echo_ms",
    "inversion_ms",
    "flip_degrees",
]
Fact = TextFact | NumberFact
Words = Annotated[tuple[str, ...], Field(min_length=1)]
LONGEST = 64
"""Characters of a fact that a sentence shows."""

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

    @property
    def asked(self) -> tuple[Fact, ...]:
        """The facts that decide."""
        return (self.fact,)


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

    @field_validator("of")
    @classmethod
    def _can_match(cls, of: tuple[str, ...]) -> tuple[str, ...]:
        for one in of:
            stems = [part.removesuffix("*") for part in one.casefold().split()]
            if not stems or any(words(stem) != [stem] for stem in stems):
                meant = " ".join(words(one)) or "a word"
                raise ValueError(f"{one!r} is in no text as words are told apart; write {meant}")
        return of

    def holds(self, facts: SeriesFacts) -> bool:
        """Whether the rule is true of a series."""
        texts = [words(" ".join(_values(facts, fact))) for fact in self.facts]
        return any(_has(text, self.of) for text in texts) if any(texts) else self.unstated

    @property
    def asked(self) -> tuple[Fact, ...]:
        """The facts that decide."""
        return self.facts


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

    @property
    def asked(self) -> tuple[Fact, ...]:
        """The facts that decide."""
        return (self.fact,)


Simple = Annotated[HasValue | HasWord | IsBetween, Field(discriminator="kind")]


class AnyOf(Spec):
    """At least one of some rules is true."""

    kind: Literal["any"]
    of: Annotated[tuple[Simple, ...], Field(min_length=1)]

    def holds(self, facts: SeriesFacts) -> bool:
        """Whether the rule is true of a series."""
        return any(rule.holds(facts) for rule in self.of)

    @property
    def asked(self) -> tuple[Fact, ...]:
        """The facts that decide."""
        return _every(self.of)


class AllOf(Spec):
    """All of some rules are true."""

    kind: Literal["all"]
    of: Annotated[tuple[Simple, ...], Field(min_length=1)]

    def holds(self, facts: SeriesFacts) -> bool:
        """Whether the rule is true of a series."""
        return all(rule.holds(facts) for rule in self.of)

    @property
    def asked(self) -> tuple[Fact, ...]:
        """The facts that decide."""
        return _every(self.of)


Rule = Annotated[HasValue | HasWord | IsBetween | AnyOf | AllOf, Field(discriminator="kind")]


def number(facts: SeriesFacts, fact: NumberFact) -> float | None:
    """A number about a series; None where it cannot be known."""
    if fact == "thickest_mm":
        return max(facts.voxel_mm) if facts.voxel_mm else None
    if fact == "volumes":
        return facts.images / facts.slices if facts.slices else None
    value = getattr(facts, fact)
    return None if value is None else float(value)


def stated(facts: SeriesFacts, asked: Sequence[Fact]) -> str:
    """What a series says of some facts: `thickest_mm 5, dimensions not stated`."""
    return ", ".join(f"{one} {_stated(facts, one) or 'not stated'}" for one in asked)


def _stated(facts: SeriesFacts, fact: Fact) -> str:
    if fact in get_args(NumberFact):
        value = number(facts, fact)  # type: ignore[arg-type]  # narrowed by the line above
        return "" if value is None else f"{value:.4g}"
    return "\\".join(_values(facts, fact))[:LONGEST]  # type: ignore[arg-type]  # as above


def words(text: str) -> list[str]:
    """The words of a text, in small letters."""
    return _WORD.findall(text.casefold())


def _values(facts: SeriesFacts, fact: TextFact) -> tuple[str, ...]:
    value = getattr(facts, fact)
    return tuple(one for one in ((value,) if isinstance(value, str) else value) if one)


def _has(found: Sequence[str], of: Words) -> bool:
    """Whether one of some words, or some words in their order, is among those of a text."""
    return any(
        all(_is(word, part) for word, part in zip(found[start:], parts, strict=False))
        for parts in (one.casefold().split() for one in of)
        for start in range(len(found) - len(parts) + 1)
    )


def _is(word: str, wanted: str) -> bool:
    return word.startswith(wanted[:-1]) if wanted.endswith("*") else word == wanted


def _every(rules: Sequence[Simple]) -> tuple[Fact, ...]:
    return tuple(dict.fromkeys(fact for rule in rules for fact in rule.asked))
