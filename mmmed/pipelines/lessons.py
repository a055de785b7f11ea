"""What a training leaves to learn from: looked at in tables, before anything is prepared.

lesson    a pattern that a method learns every class from: some training case of each must show it
refusal   why a method cannot learn under a training: a class has no case for one of its lessons
gap       a modality that no training case of a class shows, of which methods without lessons learn
          all but that class

A rate, a rule that reads the label or a small part may leave a class without such cases.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import pandas as pd

from mmmed.cohorts.splits import Fold
from mmmed.errors import StudyError, join
from mmmed.modality import Pattern
from mmmed.models.joint_embedding.pairs import is_pair, require_pairs
from mmmed.models.options import MethodOptions

WAYS_OUT = "hide less in training (a lower rate), take other splits, or leave the method out"


class Lessons:
    """What the training part of one fold shows under one training.

    Args:
        where: study, fold and training, for people.
        fold: who is in which part.
        shown: case -> what it shows in training.
        labels: class index per case; negative where unknown.
        classes: names, in the order of the indices.
    """

    def __init__(
        self,
        where: str,
        *,
        fold: Fold,
        shown: Mapping[str, Pattern],
        labels: pd.Series,
        classes: Sequence[str],
    ) -> None:
        self._where = where
        self._shown = [shown[case] for case in fold.cases("train")]
        known = labels.loc[fold.cases("train")].tolist()
        self._count = {
            name: Counter(
                one for one, label in zip(self._shown, known, strict=True) if label == index
            )
            for index, name in enumerate(classes)
        }

    def refusal(self, method: MethodOptions, modalities: Sequence[str]) -> str | None:
        """Why a method cannot learn here, in one line; None where it can."""
        for lesson in method.lessons(modalities):
            for name, count in self._count.items():
                found = sum(many for one, many in count.items() if lesson <= one)
                if not found:
                    return self._lack(method, name, f"{lesson}, which it learns from")
        return self._pairs(method) if method.needs_pairs else None

    def gaps(self, modalities: Sequence[str]) -> tuple[str, ...]:
        """Sentences on modalities of which a class shows nothing."""
        return tuple(
            f"{self._where}: no training case of class {name} shows {modality}; whoever learns "
            f"from {modality} learns nothing of {name}"
            for modality in modalities
            for name, count in self._count.items()
            if not any(modality in one for one in count)
        )

    def _pairs(self, method: MethodOptions) -> str | None:
        try:
            require_pairs(f"{self._where}: {method.name}", self._shown)
        except StudyError as error:
            return str(error)
        for name, count in self._count.items():
            if not any(map(is_pair, count)):
                return self._lack(method, name, "two modalities, which it compares")
        return None

    def _lack(self, method: MethodOptions, name: str, what: str) -> str:
        return (
            f"{self._where}: {method.name}: 0 of {self._count[name].total()} training cases of "
            f"class {name} show {what}; {WAYS_OUT}"
        )


def require_some(methods: Sequence[MethodOptions], refused: Sequence[Mapping[str, str]]) -> None:
    """Raise where a method can learn nowhere.

    Args:
        methods: of the study.
        refused: per fold and training, method -> why it cannot learn there.

    Raises:
        StudyError: one line per such method, about its first fold and training.
    """
    nowhere = [
        refused[0][method.name] for method in methods if all(method.name in one for one in refused)
    ]
    if nowhere:
        raise StudyError(join(nowhere))


def require_lessons(refused: Mapping[str, str], method: MethodOptions) -> None:
    """Raise a StudyError where a method is refused."""
    if method.name in refused:
        raise StudyError(refused[method.name])
