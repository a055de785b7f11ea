"""From the text of a diagnosis column to a class."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from mmmed.config import Spec, nearest
from mmmed.errors import StudyError
from mmmed.readers.vectors import MISSING


class Label(Spec):
    """Which column is the label and what may stand in it.

    Attributes:
        column: of the cohort's table; for `views` also `last`.
        classes: the classes, (negative, positive) where there are two.
        exclude: values whose cases are left out on purpose (`MCI`).
    """

    column: str
    classes: Annotated[tuple[str, ...], Field(min_length=2)]
    exclude: tuple[str, ...] = ()

    @field_validator("classes")
    @classmethod
    def _distinct(cls, classes: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(classes)) < len(classes):
            raise ValueError("a class stands twice")
        return classes

    def index(self, text: str) -> int:
        """The class of a cell that names one."""
        return self.classes.index(text)

    def is_missing(self, text: str | None) -> bool:
        """Whether the cell says nothing."""
        return text is None or text in MISSING

    def is_known(self, text: str) -> bool:
        """Whether the cell names a class."""
        return text in self.classes

    def outside(self, case: str, text: str) -> str:
        """The message for a value that is neither a class nor excluded."""
        return (
            f"case {case}: {self.column} is {text!r}; allowed: {', '.join(self.classes)}; "
            "list it under `label.exclude` to leave such cases out"
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
