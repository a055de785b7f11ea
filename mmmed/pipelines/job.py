"""What a job is: a method under a training, on a fold, with a seed, and all it depends on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from mmmed import __version__
from mmmed.cohorts.cohort import Case
from mmmed.models.building import weights_file
from mmmed.models.options import MethodOptions
from mmmed.pipelines.external import Abroad
from mmmed.pipelines.plan import FoldPlan
from mmmed.pipelines.preparation import Stocked
from mmmed.pipelines.resolve import Resolved
from mmmed.pipelines.study import Evaluation
from mmmed.pipelines.trials import Trial, trials
from mmmed.record import digest
from mmmed.training.settings import TrainingSpec
from mmmed.training.shelf import Shelf
from mmmed.transforms.chain import Chain

DONE = "done"
"""The file that a finished job writes last."""


@dataclass(frozen=True)
class Work:
    """What all jobs of a study share.

    Attributes:
        cohort: its name.
        shelf: prepared items.
        cases: by id.
        chains: modality -> its chain.
        classes: names, in the order of the logits.
        positive: the positive class; None with K > 2 classes.
        training: the budget.
        evaluation: threshold and coverage.
        study: resolved, as plain values.
        reading: the cohort's spec without its folder, as plain values.
        dicom: how a package reads a folder of DICOM; None where it cannot.
        data: SHA-256 over the prepared items.
        files: file that the study itself names -> SHA-256.
        device: where models compute.
        abroad: what else every job predicts.
    """

    cohort: str
    shelf: Shelf
    cases: Mapping[str, Case]
    chains: Mapping[str, Chain]
    classes: tuple[str, ...]
    positive: str | None
    training: TrainingSpec
    evaluation: Evaluation
    study: Mapping[str, Any]
    reading: Mapping[str, Any]
    dicom: Mapping[str, Any] | None
    data: str
    files: Mapping[str, str]
    device: str
    abroad: tuple[Abroad, ...] = ()


@dataclass(frozen=True, eq=False)
class Job:
    """One independent unit of a study.

    Attributes:
        method: with its options as the study states them.
        plan: of its fold.
        seed: of everything that training draws.
        work: what all jobs share.
        trials: the settings it chooses among; none where the study does not tune.
        by: what it chooses by.
    """

    method: MethodOptions
    plan: FoldPlan
    seed: int
    work: Work = field(repr=False)
    trials: tuple[Trial, ...] = field(default=(), repr=False)
    by: Literal["loss", "auroc"] = "loss"

    @property
    def name(self) -> str:
        """For people: `hypermm mcar 0.5 holdout seed 0`."""
        return f"{self.method.name} {self.plan.train} {self.plan.fold.name} seed {self.seed}"

    def at(self, number: int) -> Job:
        """The job that trains with the settings of one trial, and chooses nothing."""
        trial = self.trials[number]
        work = replace(self.work, training=trial.training)
        return replace(self, method=trial.method, work=work, trials=())

    def settings(self) -> dict[str, Any]:
        """Everything its result depends on, as plain values."""
        return {
            "method": self.method.model_dump(mode="json"),
            "weights": self._weights(),
            "train": self.plan.train,
            "fold": self.plan.fold.name,
            "seed": self.seed,
            "training": self.work.training.model_dump(mode="json"),
            "evaluation": self.work.evaluation.model_dump(mode="json"),
            "splits": digest.of_value(self.plan.fold.part.to_dict()),
            "shown": digest.of_value({case: str(one) for case, one in self.plan.shown.items()}),
            "views": digest.of_value(
                [[v.case, v.protocol, v.rate, str(v.pattern)] for v in self.plan.views]
            ),
            "data": self.work.data,
            "mmmed": __version__,
            **self._tuning(),
            **self._abroad(),
        }

    def folder(self, run: Path) -> Path:
        """Its folder in a run."""
        return run / "jobs" / digest.of_value(self.settings())[:20]

    def is_done(self, run: Path) -> bool:
        """Whether its folder is complete."""
        return (self.folder(run) / DONE).exists()

    def _tuning(self) -> dict[str, Any]:
        if not self.trials:
            return {}
        return {"tune": {"by": self.by, "trials": [trial.values() for trial in self.trials]}}

    def _abroad(self) -> dict[str, Any]:
        if not self.work.abroad:
            return {}
        return {"external": [one.settings() for one in self.work.abroad]}

    def _weights(self) -> str | None:
        """The digest of the file its backbone starts from; None where it starts from scratch."""
        file = weights_file(self.method)
        return None if file is None else self.work.files.get(str(file))


def make_jobs(
    resolved: Resolved,
    stocked: Stocked,
    folds: Sequence[FoldPlan],
    *,
    device: str,
    abroad: Sequence[Abroad] = (),
) -> list[Job]:
    """The jobs of a study: the first method's first fold and seed come first."""
    study = resolved.study
    work = Work(
        cohort=stocked.cohort.name,
        shelf=stocked.shelf,
        cases={case.id: case for case in stocked.cohort.cases},
        chains=resolved.chains,
        classes=stocked.cohort.classes,
        positive=study.evaluation.positive or stocked.cohort.positive,
        training=study.training,
        evaluation=study.evaluation,
        study=resolved.values(),
        reading=resolved.cohort.reading.model_dump(mode="json", exclude={"root"}),
        dicom=resolved.dicom.model_dump(mode="json") if resolved.dicom else None,
        data=stocked.digest,
        files=resolved.files,
        device=device,
        abroad=tuple(abroad),
    )
    drawn = trials(study)
    by = study.tune.by if study.tune else "loss"
    return [
        Job(method, fold, seed, work, trials=drawn.get(method.name, ()), by=by)
        for method in study.methods
        for fold in folds
        for seed in study.seeds
    ]
