"""MLflow: the run folder told again as an experiment tree.

Experiment `mmmed/<study>`, one parent run per run folder, one nested run per job. The folder is
the record; MLflow is a view of it that can be rebuilt at any time.

A run tells MLflow in a process of its own that is ended after `SECONDS`, whatever a server does.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from mmmed.errors import RunError
from mmmed.pipelines.tree import IDENTITY, REASON, Node, Tree, read_tree
from mmmed.record import atomic, chain

if TYPE_CHECKING:
    from mlflow import MlflowClient

T = TypeVar("T")

NAME = "tracking.json"
SECONDS = 60.0
"""How long a run waits for MLflow."""
LIMIT = "MMMED_TRACK_SECONDS"
"""The environment variable that says otherwise; 0 is not to track."""
SAID = "tracked as "
"""What `mmmed track` says before the place."""
BATCH = 100
"""Parameters or metrics per request: below MLflow's limits of 100 and 1000."""

_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_JITTER": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
}


@dataclass(frozen=True)
class Tracked:
    """Where a run folder went."""

    uri: str
    experiment: str
    parent: str
    jobs: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.experiment} run {self.parent} at {self.uri}"


def track_within_limit(run: Path) -> str:
    """Track a run folder by `mmmed track` in a process of its own; where it went.

    Raises:
        RunError: it was not tracked, or not within `MMMED_TRACK_SECONDS`.
    """
    seconds = _limit()
    path = os.pathsep.join(entry for entry in sys.path if entry)
    try:
        done = subprocess.run(  # noqa: S603 - this program itself
            [sys.executable, "-P", "-m", "mmmed", "track", str(run.resolve())],
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise RunError(
            f"MLflow was not done within {seconds:g} s; {LIMIT} sets how long"
        ) from error
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1]
        raise RunError(reason.removeprefix("mmmed: "))
    return done.stdout.strip().splitlines()[-1].removeprefix(SAID)


def track_run(run: Path) -> Tracked:
    """Write a run folder into MLflow; a folder that is there already is written over.

    A finished folder gains `tracking.json` and a link of its chain.

    Raises:
        RunError: the folder is no finished run, or MLflow's store cannot be written to.
    """
    tree = read_tree(run)
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        tracked = _tracked(tree)
    except Exception as error:  # a store is a plug-in: what it raises is its own
        raise _refused(error) from error
    _remember(run, tracked)
    return tracked


def _limit() -> float:
    said = os.environ.get(LIMIT, str(SECONDS))
    try:
        seconds = float(said)
    except ValueError as error:
        raise RunError(f"{LIMIT}: {said!r} is no number of seconds") from error
    if not seconds > 0:
        raise RunError(f"{LIMIT} is {said}")
    return seconds


def _tracked(tree: Tree) -> Tracked:
    from mlflow import MlflowClient, get_tracking_uri

    client = MlflowClient()
    found = client.get_experiment_by_name(tree.experiment)
    experiment = found.experiment_id if found else client.create_experiment(tree.experiment)
    parent = _run(client, experiment, tree.study, parent=None)
    jobs = {}
    for folder, node in tree.jobs.items():
        jobs[folder] = _run(client, experiment, node, parent=parent)
        _tell(client, jobs[folder], node)
    _tell(client, parent, tree.study)
    return Tracked(str(get_tracking_uri()), tree.experiment, parent, jobs)


def _refused(error: Exception) -> RunError:
    uri = os.environ.get("MLFLOW_TRACKING_URI", "MLflow's default store")
    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    return RunError(f"{uri}: MLflow cannot be written to ({reason}); see MLFLOW_TRACKING_URI")


def _run(client: MlflowClient, experiment: str, node: Node, *, parent: str | None) -> str:
    """The MLflow run of a node, made where there is none."""
    sought = f"tags.`{IDENTITY}` = '{node.tags[IDENTITY]}'"
    found = client.search_runs([experiment], sought, max_results=1)
    if found:
        return str(found[0].info.run_id)
    tags = dict(node.tags)
    if parent:
        tags["mlflow.parentRunId"] = parent
    return str(client.create_run(experiment, run_name=node.name, tags=tags).info.run_id)


def _tell(client: MlflowClient, run: str, node: Node) -> None:
    """Everything about a node; what it ended with comes last."""
    from mlflow.entities import Metric, Param, RunTag

    known = client.get_run(run).data
    if REASON in known.tags and not node.failed:
        client.delete_tag(run, REASON)
    tags = [RunTag(key, value) for key, value in node.tags.items() if known.tags.get(key) != value]
    client.log_batch(run, tags=tags)
    new = [Param(key, text) for key, text in node.parameters.items() if key not in known.params]
    for params in _batches(new):
        client.log_batch(run, params=params)
    for metrics in _batches([Metric(name, value, 0, step) for name, value, step in node.metrics]):
        client.log_batch(run, metrics=metrics)
    for path, folder in node.artifacts:
        client.log_artifact(run, str(path), artifact_path=folder or None)
    client.set_terminated(run, "FAILED" if node.failed else "FINISHED")


def _batches(values: list[T]) -> Iterator[list[T]]:
    for start in range(0, len(values), BATCH):
        yield values[start : start + BATCH]


def _remember(run: Path, tracked: Tracked) -> None:
    path = run / NAME
    if not path.exists():
        atomic.write_json(
            path,
            {
                "uri": tracked.uri,
                "experiment": tracked.experiment,
                "parent": tracked.parent,
                "jobs": dict(tracked.jobs),
            },
        )
        if (run / chain.NAME).exists():
            chain.append(run, by="track")
