"""What a study says about its splits: how many are tested, who is drawn by what, or which lists."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from mmmed.config import Spec

Share = Annotated[float, Field(gt=0, lt=1)]


class _Drawn(Spec):
    """What every way of splitting states.

    Attributes:
        validation: share of the whole that chooses.
        calibration: share of the whole that calibrates.
        seed: of the draw alone.
        stratify: a column recorded with each case, such as `subtype`, in which parts are to be
            alike; None for class and site alone.
    """

    validation: Share = 0.1
    calibration: Share = 0.1
    seed: int = 0
    stratify: str | None = None


class Holdout(_Drawn):
    """One fold: as the cohort's own `part` column says, else drawn. Or several, each drawn anew.

    Attributes:
        test: share of the whole that is tested.
        repeats: how many hold-outs; a subject may be tested in several of them, or in none.
    """

    kind: Literal["holdout"] = "holdout"
    test: Share = 0.2
    repeats: Annotated[int, Field(ge=1)] = 1

    @model_validator(mode="after")
    def _leaves_training(self) -> Holdout:
        if self.validation + self.calibration + self.test >= 1:
            raise ValueError("validation, calibration and test leave nothing to train on")
        return self


class Folds(_Drawn):
    """Each subject is tested once.

    Attributes:
        folds: how many.
    """

    kind: Literal["folds"]
    folds: Annotated[int, Field(ge=2)] = 5

    @model_validator(mode="after")
    def _leaves_training(self) -> Folds:
        if self.validation + self.calibration + 1 / self.folds >= 1:
            raise ValueError("validation, calibration and one fold leave nothing to train on")
        return self


class LeaveOneSiteOut(_Drawn):
    """Each site is tested once, by a model that never saw it."""

    kind: Literal["leave-one-site-out"]

    @model_validator(mode="after")
    def _leaves_training(self) -> LeaveOneSiteOut:
        if self.validation + self.calibration >= 1:
            raise ValueError("validation and calibration leave nothing to train on")
        return self


class Lists(_Drawn):
    """The folds that lists state, as BreakHis publishes its five; see `fold_list`.

    Validation and calibration parts are drawn from the train side, by subject. What the lists do
    not name is in no part of the fold.

    Attributes:
        files: the lists, or folders of `.txt` files.
        leaks: of a subject who is on both sides: `report` takes the lists as given and says so,
            `refuse` stops, `move` tests all cases of the subject. Who leaks is never drawn for
            validation or calibration.
    """

    kind: Literal["lists"]
    files: Annotated[tuple[Path, ...], Field(min_length=1)]
    leaks: Literal["report", "refuse", "move"] = "report"

    @model_validator(mode="after")
    def _leaves_training(self) -> Lists:
        if self.validation + self.calibration >= 1:
            raise ValueError("validation and calibration leave nothing to train on")
        return self


Splits = Annotated[Holdout | Folds | LeaveOneSiteOut | Lists, Field(discriminator="kind")]
