"""From the diagnoses of a subject's visits to a class.

rule      at-visit: the diagnosis at the case's own visit; conversion: what becomes of it later
stable    in the starting stage, and followed for the whole horizon without reaching the end
progressive  in the starting stage, and in the end stage within the horizon
reverter  in a milder stage, or milder again after reaching the end, within the horizon
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from mmmed.config import Spec, nearest
from mmmed.errors import StudyError
from mmmed.readers.vectors import MISSING

LAST = "last"
"""Names the last column of each table as the label's."""


class AtVisit(Spec):
    """The diagnosis at the case's own visit is the label."""

    kind: Literal["at-visit"] = "at-visit"


class Conversion(Spec):
    """Whether a case in a starting stage reaches an end stage in time; (stable, progressive).

    Followed for less than the horizon without reaching the end, a case is neither and is left out;
    so is one that reaches it between two visits on either side of the horizon.

    Attributes:
        stages: diagnoses from mild to severe.
        start: the stage of a case at its own visit.
        end: the stage that makes it progressive.
        months: the horizon.
        tolerance: months around the horizon that count as the horizon, where visits have dates.
        reverters: whether they are left out, or judged by reaching the end alone.
    """

    kind: Literal["conversion"]
    stages: Annotated[tuple[str, ...], Field(min_length=2)] = ("CN", "MCI", "AD")
    start: str = "MCI"
    end: str = "AD"
    months: Annotated[float, Field(gt=0)] = 36
    tolerance: Annotated[float, Field(ge=0)] = 0
    reverters: Literal["exclude", "keep"] = "exclude"

    @model_validator(mode="after")
    def _in_order(self) -> Conversion:
        if len(set(self.stages)) < len(self.stages):
            raise ValueError("a stage stands twice")
        if not {self.start, self.end} <= set(self.stages):
            raise ValueError("start and end must be stages")
        if self.stages.index(self.start) >= self.stages.index(self.end):
            raise ValueError("the end must be a severer stage than the start")
        return self


Rule = Annotated[AtVisit | Conversion, Field(discriminator="kind")]


class Label(Spec):
    """Which column is the label, what may stand in it, and how a case gets its class.

    Attributes:
        column: of the cohort's table; for `views` also `last`.
        classes: the classes, (negative, positive) where there are two; (stable, progressive) of a
            conversion.
        exclude: diagnoses whose cases are left out on purpose (`MCI`).
        values: what else a diagnosis is called -> the diagnosis (`Dementia: AD`).
        rule: from diagnoses to the class.
    """

    column: str
    classes: Annotated[tuple[str, ...], Field(min_length=2)]
    exclude: tuple[str, ...] = ()
    values: dict[str, str] = Field(default_factory=dict)
    rule: Rule = AtVisit()

    @field_validator("classes")
    @classmethod
    def _distinct(cls, classes: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(classes)) < len(classes):
            raise ValueError("a class stands twice")
        return classes

    @model_validator(mode="after")
    def _two_of_a_conversion(self) -> Label:
        if isinstance(self.rule, Conversion) and len(self.classes) != 2:
            raise ValueError("a conversion has two classes: (stable, progressive)")
        return self

    @property
    def diagnoses(self) -> tuple[str, ...]:
        """What a cell may say, exclusions apart."""
        return self.rule.stages if isinstance(self.rule, Conversion) else self.classes

    def meaning(self, text: str) -> str:
        """The diagnosis that a cell names; `3.0`, as some tools write a code, is `3`."""
        plain = text.strip()
        code = plain.removesuffix(".0")
        return self.values.get(plain, self.values.get(code, plain))

    def index(self, text: str) -> int:
        """The class of a text that names one."""
        return self.classes.index(text)

    def is_missing(self, text: str | None) -> bool:
        """Whether the cell says nothing."""
        return text is None or text in MISSING

    def outside(self, case: str, text: str) -> str:
        """The message for a value that is neither a diagnosis of the rule nor excluded."""
        return (
            f"case {case}: {self.column} is {text!r}; allowed: {', '.join(self.diagnoses)}; "
            "list it under `label.exclude` to leave such cases out"
        )

    def sentence(self, positive: str | None, *, visits: Literal["all", "baseline"]) -> str:
        """Classes, positive class, rule and exclusions, as a report begins."""
        about = f" (positive: {positive})" if positive else ""
        left_out = f"; left out: {', '.join(self.exclude)}" if self.exclude else ""
        when = "at each subject's first visit" if visits == "baseline" else "at each visit"
        return f"{' against '.join(self.classes)}{about}: {self._told(when)}{left_out}"

    def _told(self, when: str) -> str:
        if isinstance(self.rule, AtVisit):
            return "the last column" if self.column == LAST else f"{self.column} {when}"
        rule = self.rule
        after = f"within {rule.months:g} months"
        kept = "left out" if rule.reverters == "exclude" else "kept"
        return (
            f"{self.column} {rule.start} {when}, and {rule.end} {after} or not; followed for less: "
            f"left out; reverters: {kept}"
        )


def positive_class(classes: tuple[str, ...], named: str | None) -> str | None:
    """The positive class: the one named, else the second of two.

    Raises:
        StudyError: the one named is no class.
    """
    if named is not None:
        if named not in classes:
            raise StudyError(f"positive: {named!r} is no class{nearest(named, classes)}")
        return named
    return classes[1] if len(classes) == 2 else None
