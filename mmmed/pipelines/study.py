"""The grammar of a study: one YAML of `pipelines/`.

study      a question, a cohort, how its images are prepared, who hides what, which methods compete
resolved   the study together with the cohort and the chains it names, as plain values: what a run
           records, and what its digest is taken of
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Union

from pydantic import BeforeValidator, Field, ValidationInfo, create_model, field_validator

from mmmed import config, library
from mmmed.cohorts.split_spec import Splits
from mmmed.config import Spec, nearest
from mmmed.document import brief
from mmmed.evaluation.bootstrap import Interval
from mmmed.evaluation.study.plan import Plan, Questions
from mmmed.mechanism import Complete, TestProtocol, Training, TrainProtocol, trainings
from mmmed.models import METHODS
from mmmed.models.building import options
from mmmed.models.options import MethodOptions
from mmmed.pipelines.tune import Tune
from mmmed.pipelines.verify import Verify
from mmmed.training.settings import TrainingSpec


class CohortChoice(Spec):
    """Which cohort, and what of its file this study overrides.

    Attributes:
        name: of a YAML in `cohorts/`.
        root: the folder of a real cohort's files.
        reading: settings of a real cohort, merged into its file's: `{visits: all}`.
        seed: of a simulated cohort.
        simulation: settings of a simulated cohort, merged into its file's.
    """

    name: str
    root: Path | None = None
    reading: dict[str, Any] = Field(default_factory=dict)
    seed: int | None = None
    simulation: dict[str, Any] = Field(default_factory=dict)


def _named(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


Named = Annotated[CohortChoice, BeforeValidator(_named, json_schema_input_type=CohortChoice | str)]
"""A cohort by its name, or by its name with what is overridden."""


class Protocols(Spec):
    """Who hides what.

    Attributes:
        train: each hides in the training and validation parts of models of its own, one per rate.
        test: each makes its own table of results, one per rate.
    """

    train: Annotated[tuple[TrainProtocol, ...], Field(min_length=1)] = (Complete(),)
    test: Annotated[tuple[TestProtocol, ...], Field(min_length=1)]

    @field_validator("train")
    @classmethod
    def _trained_apart(cls, protocols: tuple[TrainProtocol, ...]) -> tuple[TrainProtocol, ...]:
        _require_apart([one.name for one in trainings(protocols)])
        return protocols

    @field_validator("test")
    @classmethod
    def _tested_apart(cls, protocols: tuple[TestProtocol, ...]) -> tuple[TestProtocol, ...]:
        _require_apart([one.name for one in protocols])
        return protocols

    @property
    def trainings(self) -> tuple[Training, ...]:
        """What models are made of."""
        return trainings(self.train)


class Sensitivity(Spec):
    """A threshold that reaches a sensitivity on the calibration part."""

    sensitivity: Annotated[float, Field(gt=0, le=1)]


class Evaluation(Questions):
    """How results are counted; what is asked of them stands in `Questions`.

    Attributes:
        positive: the class that F1, sensitivity and AUROC are about; None with K > 2 classes.
        interval: of every figure.
        coverage: the level of the conformal sets.
        threshold: on the calibrated probability of the positive class; or `prevalence`, the share
            of that class in the training part, above which a case is likelier positive than before
            it was looked at: where classes are unequal it serves balanced accuracy; or the
            sensitivity it is set to reach on the calibration part.
        images: score each image of a test case alone as well, for `images.tsv` and the recognition
            rates of images and patients.
    """

    positive: str | None = None
    interval: Interval = Interval()
    coverage: Annotated[float, Field(gt=0, lt=1)] = 0.9
    threshold: Annotated[float, Field(gt=0, lt=1)] | Literal["prevalence"] | Sensitivity = 0.5
    images: bool = False

    def plan(self) -> Plan:
        """The questions, with the interval that answers have."""
        asked = {name: getattr(self, name) for name in Questions.model_fields}
        return Plan(interval=self.interval, **asked)


class Study(Spec):
    """One study.

    Attributes:
        study: its name, as below `pipelines/`.
        question: what it asks, in a sentence.
        cohort: a name, or a name with what it overrides.
        external: cohorts on which every model is tested, and none is made; as `cohort`.
        transforms: modality -> name of a chain in `transforms/`.
        protocols: who hides what.
        methods: what competes; the first one's package is the run's.
        splits: how subjects are parted.
        seeds: one job each per method, protocol and fold.
        training: the budget, the same for every method.
        tune: how often each method may try other settings; None trains it as it stands.
        evaluation: how results are counted.
        verify: the proof that hidden scans were not used, made before the report; None makes none.
    """

    study: str
    question: str = ""
    cohort: Named
    external: tuple[Named, ...] = ()
    transforms: Annotated[dict[str, str], Field(min_length=1)]
    protocols: Protocols
    methods: tuple[MethodOptions, ...]
    splits: Splits
    seeds: Annotated[tuple[int, ...], Field(min_length=1)] = (0,)
    training: TrainingSpec = TrainingSpec()
    tune: Tune | None = None
    evaluation: Evaluation = Evaluation()
    verify: Verify | None = None

    @field_validator("methods")
    @classmethod
    def _told_apart(cls, methods: tuple[MethodOptions, ...]) -> tuple[MethodOptions, ...]:
        _require_apart([method.name for method in methods])
        return methods

    @field_validator("evaluation")
    @classmethod
    def _against_a_method(cls, evaluation: Evaluation, found: ValidationInfo) -> Evaluation:
        names = [method.name for method in found.data.get("methods", ())]
        if names and evaluation.against is not None and evaluation.against not in names:
            near = nearest(evaluation.against, names)
            raise ValueError(f"against: {brief(evaluation.against)} is no method of it{near}")
        return evaluation

    @field_validator("seeds")
    @classmethod
    def _distinct(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(seeds)) < len(seeds):
            raise ValueError("a seed stands twice")
        return seeds


SHORTHANDS = {"cohort": "name"}
"""Keys that may stand as one value: `cohort: NAME` is `cohort: {name: NAME}`."""


def load_study(name: str, *, settings: Sequence[str] = (), start: Path | None) -> Study:
    """The study called `name`, with `key.sub=value` settings applied.

    Raises:
        StudyError: one line per fault, with `file:line` and the nearest valid spelling.
    """
    found = library.find("pipelines", name, start=start)
    document = config.override(config.read(found.path), settings, shorthands=SHORTHANDS)
    config.check_version(document)
    return config.validate(document, study_type(named_kinds(document.values)), drop=("mmmed",))


def study_type(kinds: Sequence[str]) -> type[Study]:
    """`Study` whose methods are of these kinds; only their modules are imported.

    An unknown kind brings in every method, so that the error can name them all.
    """
    known = [method.kind for method in METHODS]
    chosen = sorted(set(kinds)) if kinds and set(kinds) <= set(known) else known
    types = tuple(options(kind) for kind in chosen)
    method: Any = types[0]
    if len(types) > 1:
        method = Annotated[Union[types], Field(discriminator="kind")]  # noqa: UP007 - built here
    methods: Any = (Annotated[tuple[method, ...], Field(min_length=1)], ...)
    return create_model("Study", __base__=Study, methods=methods)


def _require_apart(names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(
                f"{name} stands twice; tables tell them apart by name, so give each a name: "
                "{kind: ..., name: ...}"
            )


def named_kinds(values: dict[str, Any]) -> list[str]:
    """The kinds of methods that a study names, as far as it is written well."""
    methods = values.get("methods")
    if not isinstance(methods, list):
        return []
    return [str(one.get("kind")) for one in methods if isinstance(one, dict)]
