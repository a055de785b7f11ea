"""What a run folder tells MLflow: a tree of plain values, read before anything is written.

node    one MLflow run: the study, or one job of it
identity
        the tag by which a node is found again, so that a second telling makes no second tree
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mmmed import __version__
from mmmed.errors import RunError
from mmmed.evaluation.summary import main_rows
from mmmed.pipelines.endings import UNTOLD, failure
from mmmed.pipelines.job import DONE
from mmmed.pipelines.keys import leaves, names
from mmmed.record import atomic, digest
from mmmed.training.history import WINDOW

IDENTITY, REASON = "mmmed.identity", "reason"
LONGEST_TAG = 5000
"""Characters of a tag that all of MLflow's stores take."""
_ARTIFACTS = (
    "report.html",
    "report-verified.html",
    "study.yaml",
    "environment.json",
    "metrics.json",
    "statistics.json",
    "arena.json",
    "verify-mask.json",
    "tuning.tsv",
    "predictions.tsv",
    "splits.tsv",
    "presence.tsv",
)
_FOLDERS = ("tables", "figures")

Point = tuple[str, float, int]
"""A metric's name, its value, its step."""
_Figure = tuple[tuple[str, ...], float, int]


@dataclass(frozen=True)
class Node:
    """One MLflow run.

    Attributes:
        artifacts: files, each with the folder it is put into; none where empty.
        failed: whether the job failed.
    """

    name: str
    tags: Mapping[str, str]
    parameters: Mapping[str, str]
    metrics: Sequence[Point]
    artifacts: Sequence[tuple[Path, str]] = ()
    failed: bool = False


@dataclass(frozen=True)
class Tree:
    """A study and its jobs, by the name of a job's folder."""

    experiment: str
    study: Node
    jobs: Mapping[str, Node]


def read_tree(run: Path) -> Tree:
    """What a run folder tells.

    Raises:
        RunError: the folder is no finished run, or a file of it was damaged.
    """
    study = _study(run)
    try:
        return _tree(run, study)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RunError(
            f"{run}: a file of the run was damaged ({type(error).__name__}: {error})"
        ) from error


def _tree(run: Path, study: Mapping[str, Any]) -> Tree:
    name = run.resolve().name
    identity = f"{digest.of_file(run / 'study.yaml')[:16]}:{digest.of_value(name)[:16]}"
    jobs = {
        folder.name: _job(folder, f"{identity}/{folder.name}")
        for folder in sorted(run.glob("jobs/*"))
        if folder.is_dir()
    }
    root = Node(
        name=name,
        tags=_tags(identity) | _answers(run),
        parameters=_parameters(study),
        metrics=_points(_headline(run)),
        artifacts=tuple(_artifacts(run)),
    )
    return Tree(experiment=f"mmmed/{study['study']}", study=root, jobs=jobs)


def _job(folder: Path, identity: str) -> Node:
    path = folder / "settings.json"
    settings = atomic.read_json(path) if path.is_file() else {}
    told = {key: str(settings.get(key, "unknown")) for key in ("train", "fold", "seed")}
    told["method"] = str(settings.get("method", {}).get("name", "unknown"))
    failed = not (folder / DONE).exists()
    tags = _tags(identity) | told | {"status": "failed" if failed else "done"}
    if failed:
        tags[REASON] = _text(" ".join((failure(folder) or UNTOLD).split()))
    return Node(
        name=f"{told['method']} {told['train']} fold {told['fold']} seed {told['seed']}",
        tags=tags,
        parameters=_parameters(settings),
        metrics=() if failed else _points(_curves(folder)),
        failed=failed,
    )


def _tags(identity: str) -> dict[str, str]:
    return {IDENTITY: identity, "mmmed.version": __version__}


def _answers(run: Path) -> dict[str, str]:
    """The answers of the study, as the words that MLflow shows above a run."""
    path = run / "statistics.json"
    answers = atomic.read_json(path).get("answers", ()) if path.is_file() else ()
    lines = "\n".join(f"- {answer}" for answer in answers)
    return {"mlflow.note.content": _text(lines)} if lines else {}


def _text(value: str) -> str:
    return value if len(value) <= LONGEST_TAG else f"{value[: LONGEST_TAG - 4]} ..."


def _parameters(values: Mapping[str, Any]) -> dict[str, str]:
    found = leaves(values)
    named = names(found, joint=".")
    return {named[path]: text for path, text in found.items()}


def _points(figures: Iterable[_Figure]) -> tuple[Point, ...]:
    told = [one for one in figures if math.isfinite(one[1])]
    named = names((path for path, _, _ in told), joint="/")
    return tuple((named[path], value, step) for path, value, step in told)


def _artifacts(run: Path) -> Iterator[tuple[Path, str]]:
    for name in _ARTIFACTS:
        if (run / name).is_file():
            yield run / name, ""
    for folder in _FOLDERS:
        for path in sorted((run / folder).glob("*")):
            if path.is_file() and not path.name.startswith(atomic.UNFINISHED):
                yield path, folder


def _headline(run: Path) -> Iterator[_Figure]:
    """The table's figures as metrics: `method/protocol/rate/pattern/metric` and its interval."""
    for row in main_rows(atomic.read_json(run / "metrics.json")):
        if row.get("value") is None:
            continue
        rate = () if row.get("rate") is None else (str(row["rate"]),)
        place = (str(row["method"]), str(row["protocol"]), *rate, str(row["pattern"]))
        yield (*place, str(row["metric"])), float(row["value"]), 0
        for end in ("low", "high"):
            if row.get(end) is not None:
                yield (*place, f"{row['metric']}_ci_{end}"), float(row[end]), 0


def _curves(job: Path) -> Iterator[_Figure]:
    """The losses of one job by step, its looks at the validation part, what each path learned."""
    before = 0
    for phase in atomic.read_json(job / "history.json"):
        name = str(phase["name"])
        for term, means in phase["losses"].items():
            for count, mean in enumerate(means, start=1):
                yield (name, term), float(mean), before + min(count * WINDOW, phase["steps"])
        for look in phase["looks"]:
            for figure in ("loss", "auroc"):
                if look[figure] is not None:
                    step = before + int(look["step"])
                    yield (name, f"validation_{figure}"), float(look[figure]), step
        before += int(phase["steps"])
        for modality, auroc in phase["training_auroc"].items():
            if auroc is not None:
                yield (name, f"training_auroc_{modality}"), float(auroc), before


def _study(run: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load((run / "study.yaml").read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise RunError(f"{run}: is no run folder (study.yaml cannot be read)") from error
    if not isinstance(values, dict) or "study" not in values:
        raise RunError(f"{run}/study.yaml: names no study")
    if not (run / "metrics.json").is_file():
        raise RunError(f"{run}: is no finished run; only what has ended is tracked")
    return values
