"""MLflow: the run folder told again as an experiment tree, by the parent process only.

Experiment `mmmed/<study>`, one parent run per run folder, one nested run per job. The folder is
the record; MLflow is a view of it that can be rebuilt at any time.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from mmmed import __version__
from mmmed.errors import RunError
from mmmed.evaluation.summary import main_rows
from mmmed.record import atomic, chain, digest
from mmmed.training.history import WINDOW

if TYPE_CHECKING:
    from mlflow import MlflowClient

NAME = "tracking.json"
LONGEST_PARAMETER = 500
"""Characters: MLflow's oldest supported stores refuse longer values."""
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
_ARTIFACTS = (
    "report.html",
    "study.yaml",
    "environment.json",
    "metrics.json",
    "predictions.tsv",
    "splits.tsv",
    "presence.tsv",
)


@dataclass(frozen=True)
class Tracked:
    """Where a run folder went."""

    uri: str
    experiment: str
    parent: str
    jobs: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.experiment} run {self.parent} at {self.uri}"


def track_run(run: Path) -> Tracked:
    """Write a run folder into MLflow; a folder that is there already is written over.

    A finished folder gains `tracking.json` and a link of its chain.

    Raises:
        RunError: the folder is no finished run, or MLflow's store cannot be written to.
    """
    study = _study(run)
    client = _client()
    from mlflow.exceptions import MlflowException

    try:
        tracked = _tracked(run, study, client)
    except MlflowException as error:
        raise _refused(error) from error
    _remember(run, tracked)
    return tracked


def flattened(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested settings as `a.b.0.c` -> text, as MLflow's parameters want them."""
    flat: dict[str, str] = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            flat |= flattened(value, f"{name}.")
        elif isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
            flat |= flattened({str(index): one for index, one in enumerate(value)}, f"{name}.")
        else:
            flat[name] = str(value)[:LONGEST_PARAMETER]
    return flat


def _client() -> MlflowClient:
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    try:
        return MlflowClient()
    except MlflowException as error:
        raise _refused(error) from error


def _tracked(run: Path, study: Mapping[str, Any], client: MlflowClient) -> Tracked:
    experiment = f"mmmed/{study['study']}"
    identity = digest.of_file(run / "study.yaml")[:16] + ":" + run.resolve().name
    experiment_id = _experiment(client, experiment)
    parent = _run(client, experiment_id, identity, name=run.resolve().name, parent=None)
    _log(client, parent, parameters=flattened(study), metrics=_headline(run))
    for name in _ARTIFACTS:
        if (run / name).is_file():
            client.log_artifact(parent, str(run / name))
    jobs = {}
    for folder in sorted(path.parent for path in run.glob("jobs/*/done")):
        name, within = _job_name(folder), f"{identity}/{folder.name}"
        child = _run(client, experiment_id, within, name=name, parent=parent)
        settings = atomic.read_json(folder / "settings.json")
        _log(client, child, parameters=flattened(settings), metrics=_curves(folder))
        jobs[folder.name] = child
    return Tracked(uri=_uri(), experiment=experiment, parent=parent, jobs=jobs)


def _refused(error: Exception) -> RunError:
    reason = (str(error) or type(error).__name__).splitlines()[0]
    return RunError(f"{_uri()}: MLflow cannot be written to ({reason}); see MLFLOW_TRACKING_URI")


def _uri() -> str:
    from mlflow import get_tracking_uri

    return str(get_tracking_uri())


def _experiment(client: MlflowClient, name: str) -> str:
    found = client.get_experiment_by_name(name)
    return str(found.experiment_id if found else client.create_experiment(name))


def _run(
    client: MlflowClient, experiment: str, identity: str, *, name: str, parent: str | None
) -> str:
    found = client.search_runs([experiment], f"tags.`mmmed.identity` = '{identity}'", max_results=1)
    if found:
        return str(found[0].info.run_id)
    tags = {"mmmed.identity": identity, "mmmed.version": __version__}
    if parent:
        tags["mlflow.parentRunId"] = parent
    return str(client.create_run(experiment, run_name=name, tags=tags).info.run_id)


def _log(
    client: MlflowClient,
    run: str,
    *,
    parameters: Mapping[str, str],
    metrics: Iterator[tuple[str, float, int]],
) -> None:
    from mlflow.entities import Metric, Param

    known = client.get_run(run).data.params
    new = [Param(key, value) for key, value in parameters.items() if key not in known]
    for start in range(0, len(new), BATCH):
        client.log_batch(run, params=new[start : start + BATCH])
    values = [Metric(name, value, 0, step) for name, value, step in metrics if math.isfinite(value)]
    for start in range(0, len(values), BATCH):
        client.log_batch(run, metrics=values[start : start + BATCH])
    client.set_terminated(run, "FINISHED")


def _headline(run: Path) -> Iterator[tuple[str, float, int]]:
    """The table's figures as metrics: `method/protocol/rate/pattern/metric` and its interval."""
    for row in main_rows(atomic.read_json(run / "metrics.json")):
        if row.get("value") is None:
            continue
        rate = "" if row.get("rate") is None else f"/{row['rate']}"
        name = f"{row['method']}/{row['protocol']}{rate}/{row['pattern']}/{row['metric']}"
        name = name.replace("+", "_and_").replace("*", "all")
        yield name, float(row["value"]), 0
        for end in ("low", "high"):
            if row.get(end) is not None:
                yield f"{name}_ci_{end}", float(row[end]), 0


def _curves(job: Path) -> Iterator[tuple[str, float, int]]:
    """The losses of one job by step, its looks at the validation part, what each path learned."""
    before = 0
    for phase in atomic.read_json(job / "history.json"):
        for term, means in phase["losses"].items():
            for count, mean in enumerate(means, start=1):
                step = before + min(count * WINDOW, phase["steps"])
                yield f"{phase['name']}/{term}", float(mean), step
        for look in phase["looks"]:
            for figure in ("loss", "auroc"):
                if look[figure] is not None:
                    name = f"{phase['name']}/validation_{figure}"
                    yield name, float(look[figure]), before + int(look["step"])
        before += int(phase["steps"])
        for modality, auroc in phase["training_auroc"].items():
            if auroc is not None:
                yield f"{phase['name']}/training_auroc_{modality}", float(auroc), before


def _job_name(folder: Path) -> str:
    settings = atomic.read_json(folder / "settings.json")
    where = f"{settings['train']} fold {settings['fold']} seed {settings['seed']}"
    return f"{settings['method']['name']} {where}"


def _study(run: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load((run / "study.yaml").read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise RunError(f"{run}: is no run folder (study.yaml cannot be read)") from error
    if not isinstance(values, dict) or "study" not in values:
        raise RunError(f"{run}/study.yaml: names no study")
    if not (run / "metrics.json").is_file():
        raise RunError(f"{run}: is no finished run; only what has ended is tracked")
    return values


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
