"""Faults that are found together and told in one refusal."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mmmed.errors import Collecting, UnitsError, join


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
