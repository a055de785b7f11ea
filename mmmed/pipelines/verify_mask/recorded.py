"""A finished run as it recorded itself: its study, its inputs, its jobs and what it hid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import yaml

from mmmed import config, library
from mmmed.cohorts.dicom_cohort import DicomCohort
from mmmed.config import Spec
from mmmed.errors import RunError, StudyError
from mmmed.pipelines.folder import STUDY
from mmmed.pipelines.job import DONE
from mmmed.pipelines.materialise import Chosen, CohortFile, Simulated
from mmmed.pipelines.resolve import Resolved, named_files
from mmmed.pipelines.study import named_kinds, study_type
from mmmed.record import atomic, chain, digest
from mmmed.transforms.chain import Chain

SIMULATED = "/simulated/"
"""The folder of the cache in which simulated cohorts lie, each below a digest of its settings."""

S = TypeVar("S", bound=Spec)
JobKey = tuple[str, str, str, int]
"""Method, training, fold and seed."""


@dataclass(frozen=True)
class Recorded:
    """What a run says of itself.

    Attributes:
        run: its folder.
        resolved: its study, rebuilt from `study.yaml` alone.
        root: the folder its cohort was in; None where it was simulated.
        environment: `environment.json`.
        inputs: file that was read -> SHA-256.
        jobs: key -> folder of the finished job.
    """

    run: Path
    resolved: Resolved
    root: Path | None
    environment: Mapping[str, Any]
    inputs: Mapping[str, str]
    jobs: Mapping[JobKey, Path]


class _Cohort(Spec):
    cohort: CohortFile


def read_recorded(
    run: Path, *, data: Path | None = None, inputs: Mapping[str, str] | None = None
) -> Recorded:
    """A finished run, or one whose jobs are done.

    Args:
        run: its folder.
        data: the folder of its cohort, where that was moved.
        inputs: what it read, where it is not closed yet; by default as its chain says.

    Raises:
        RunError: it is none, did not end, or no job of it was finished.
        StudyError: its study is none that this version reads, or `data` fits no simulated cohort.
    """
    if inputs is None:
        inputs = chain.read(run)[0].get("inputs", {})
    resolved = _rebuilt(run)
    root: Path | None = getattr(resolved.cohort.spec, "root", None)
    if data is not None:
        resolved = _moved(resolved, data)
    return Recorded(
        run=run,
        resolved=resolved,
        root=root,
        environment=atomic.read_json(run / "environment.json"),
        inputs=inputs,
        jobs=finished_jobs(run),
    )


def finished_jobs(run: Path) -> dict[JobKey, Path]:
    """Key -> folder of each finished job of a run.

    Raises:
        RunError: there is none, or two of one key.
    """
    found: dict[JobKey, Path] = {}
    for path in sorted(run.glob(f"jobs/*/{DONE}")):
        said = atomic.read_json(path.parent / "settings.json")
        try:
            method = str(said["method"].get("name") or said["method"]["kind"])
            key = (method, str(said["train"]), str(said["fold"]), int(said["seed"]))
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise RunError(f"{path.parent}/settings.json: lacks {error}; run again") from error
        if key in found:
            raise RunError(f"{path.parent}: is the same job as {found[key].name}; run again")
        found[key] = path.parent
    if not found:
        raise RunError(f"{run}: no job of it was finished; go on with mmmed run --resume")
    return found


def changed_inputs(recorded: Recorded, now: Mapping[str, str], *, root: Path) -> list[str]:
    """A line per file that is not what the run read.

    Args:
        recorded: the run.
        now: file -> SHA-256, as read again.
        root: the folder of the cohort now.
    """
    before = {
        _below(name.removeprefix("data: "), recorded.root): value
        for name, value in recorded.inputs.items()
        if name.startswith("data: ")
    }
    after = {_below(name, root): value for name, value in now.items()}
    return [
        f"{name}: {_change(before.get(name), after.get(name))}"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ] + [
        f"{name.removeprefix('study: ')}: is not the file that the run was given"
        for name, value in recorded.inputs.items()
        if name.startswith("study: ")
        and recorded.resolved.files.get(name.removeprefix("study: ")) != value
    ]


def _change(before: str | None, after: str | None) -> str:
    if after is None:
        return "was read by the run and is not there now"
    if before is None:
        return "is there now and was not read by the run"
    return "has changed since the run"


def _below(name: str, root: Path | None) -> str:
    """A path without the folder of its cohort, simulated or not."""
    if SIMULATED in name:
        return name.partition(SIMULATED)[2].partition("/")[2]
    prefix = f"{root}/"
    return name.removeprefix(prefix) if root is not None else name


def _rebuilt(run: Path) -> Resolved:
    """The study of a run, whatever the library and the workspace hold today."""
    path = run / STUDY
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
        cohort, transforms = dict(values.pop("cohort")), dict(values.pop("transforms"))
        named = {modality: dict(chain) for modality, chain in transforms.items()}
        name = str(cohort.pop("name"))
        names = {modality: str(chain.pop("name")) for modality, chain in named.items()}
    except OSError as error:
        raise RunError(f"{path}: cannot be read ({error.strerror}); name a run folder") from error
    except (yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise RunError(f"{path}: is no resolved study; restore it or run again") from error
    if "external" in values:
        raise RunError(f"{path}: names external cohorts, whose jobs cannot be made again yet")
    dicom = values.pop("dicom", None)
    values = {**values, "cohort": {"name": name}, "transforms": names}
    study = _valid(path, values, study_type(named_kinds(values)))
    found = library.Found(name=name, path=path, origin="file", digest=digest.of_file(path))
    return Resolved(
        study=study,
        cohort=Chosen(found=found, spec=_valid(path, {"cohort": cohort}, _Cohort).cohort),
        chains={modality: _valid(path, chain, Chain) for modality, chain in named.items()},
        origins={},
        files=named_files(study),
        dicom=None if dicom is None else _valid(path, dicom, DicomCohort),
    )


def _valid(path: Path, values: dict[str, Any], spec: type[S]) -> S:
    """Values of a recorded study as a Spec.

    Raises:
        StudyError: they do not fit.
    """
    document = config.Document(path=path, values=values, lines={})
    return config.validate(document, spec, drop=("mmmed",))


def _moved(resolved: Resolved, data: Path) -> Resolved:
    cohort = resolved.cohort
    if isinstance(cohort.spec, Simulated):
        raise StudyError(
            f"--data {data}: the cohort {cohort.found.name} is simulated; leave it out"
        )
    spec = cohort.spec.model_copy(update={"root": data})
    return replace(resolved, cohort=replace(cohort, spec=spec))
