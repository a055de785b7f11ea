"""MLflow is a view of the run folder: it can be rebuilt, and it can be missing."""

from __future__ import annotations

import json
import re
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from mlflow import MlflowClient

from mmmed.pipelines.run import _track
from mmmed.pipelines.track import track_run
from mmmed.pipelines.tree import IDENTITY

pytestmark = pytest.mark.filterwarnings("default")  # of MLflow and its database

NOWHERE = "nonsense://nowhere"
"""A tracking store that does not exist."""
BAD_KEY = "slopes.site=B"
REASON = "ValueError: the loss is not finite"


class Heard:
    """A listener that keeps what it is told."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def __call__(self, task: str, done: int, total: int) -> None:
        """How far a task is."""

    def note(self, text: str) -> None:
        self.notes.append(text)


class Busy(BaseHTTPRequestHandler):
    """A server that answers everything with 503."""

    def do_GET(self) -> None:
        self.send_error(503)

    def do_POST(self) -> None:
        self.send_error(503)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def mute() -> Iterator[str]:
    """The address of a server that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def busy() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Busy) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def store(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A copy of a store of this version, in an empty place."""
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(finished.parent / "mlflow.db", tmp_path / "mlflow.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    return f"sqlite:///{tmp_path}/mlflow.db"


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    """A run of another name that was never tracked: one job failed, keys are odd."""
    made = Path(shutil.copytree(finished, tmp_path / "it's new"))
    (made / "tracking.json").unlink()
    (made / "chain.json").unlink()
    study = yaml.safe_load((made / "study.yaml").read_text())
    study["study"] = "odd"
    study["odd"] = {BAD_KEY: 1, "slopes.site*B": 2, "slopes.site%B": 3, "slopes.site:B": "x" * 9000}
    study["odd"] |= {"a=b": 4, "a?b": 5, "a_b": 6, "../c": 7, "n" * 300: 8}
    (made / "study.yaml").write_text(yaml.safe_dump(study))
    failed = min(made.glob("jobs/*"))
    (failed / "done").unlink()
    (failed / "failed.txt").write_text(REASON + "\n")
    return made


def _runs(store: str, experiment: str = "mmmed/odd") -> list[Any]:
    client = MlflowClient(store)
    found = client.get_experiment_by_name(experiment)
    return list(client.search_runs([found.experiment_id])) if found else []


@pytest.fixture
def told(run: Path, store: str) -> tuple[Any, list[Any]]:
    """The parent and the jobs of the run in the store."""
    parent = track_run(run).parent
    runs = _runs(store)
    (study,) = (one for one in runs if one.info.run_id == parent)
    return study, [one for one in runs if one is not study]


def test_a_store_that_cannot_be_written_to_is_one_line(
    finished: Path, attempt_in, tmp_path
) -> None:
    (tmp_path / "file").touch()
    for store in (NOWHERE, "http://", f"sqlite:///{tmp_path}/file/a.db", f"{tmp_path}/file/a"):
        done = attempt_in(tmp_path, "track", finished, store=store)
        assert done.code == 2, store
        (line,) = done.complaints
        assert line.startswith(f"mmmed: {store}: MLflow cannot be written to")


def test_a_tracking_failure_does_not_stop_a_run(
    finished: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", NOWHERE)
    heard = Heard()
    _track(finished, heard)
    (note,) = heard.notes
    assert note.startswith(f"not tracked ({NOWHERE}: MLflow cannot be written to")
    assert note.endswith(f"later: mmmed track {finished}")


def test_a_run_waits_for_a_mute_server_no_longer_than_its_limit(
    run: Path, mute: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mute)
    monkeypatch.setenv("MMMED_TRACK_SECONDS", "0.5")
    heard, begun = Heard(), time.monotonic()
    _track(run, heard)
    assert time.monotonic() - begun < 5
    (note,) = heard.notes
    assert note.startswith("not tracked (MLflow was not done within 0.5 s")
    assert note.endswith(f"later: mmmed track {run}")
    assert not (run / "tracking.json").exists()


def test_a_mute_server_costs_the_command_its_requests_timeout(
    run: Path, mute: str, attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    done = attempt("track", run, store=mute)
    assert done.code == 2
    assert f"{mute}: MLflow cannot be written to" in done.complaints[0]


def test_a_run_whose_server_is_busy_is_told_later(
    run: Path, busy: str, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with monkeypatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", busy)
        heard = Heard()
        _track(run, heard)
    assert heard.notes[0].startswith(f"not tracked ({busy}: MLflow cannot be written to")
    tracked = track_run(run)
    assert {one.info.run_id for one in _runs(store)} == {tracked.parent, *tracked.jobs.values()}


def test_tracking_that_was_interrupted_is_completed_as_one_tree(
    run: Path, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "set_terminated", stop)
        with pytest.raises(KeyboardInterrupt):
            track_run(run)
    assert [one.info.status for one in _runs(store)] == ["RUNNING", "RUNNING"]
    track_run(run)
    runs = _runs(store)
    assert sorted(one.info.status for one in runs) == ["FAILED", "FINISHED", "FINISHED"]
    assert len({one.data.tags[IDENTITY] for one in runs}) == 3


def test_every_setting_has_a_key_of_its_own(told) -> None:
    odd = {key: value for key, value in told[0].data.params.items() if key.startswith("odd.")}
    assert sorted(odd.values()) == sorted([*"12345678", "x" * 500])
    assert odd["odd.a_b"] == "6"
    assert odd["odd.slopes.site_B"] == "1"
    assert all(re.fullmatch(r"[\w.\- :/]{1,250}", key) for key in odd)


def test_a_job_is_a_nested_run_with_its_method_as_a_tag(told, run: Path) -> None:
    study, jobs = told
    assert {one.data.tags["mlflow.parentRunId"] for one in jobs} == {study.info.run_id}
    assert {one.data.tags["method"] for one in jobs} == {"hypermm", "late-sum"}
    for name in ("train", "fold", "seed"):
        expected = {
            str(json.loads(path.read_text())[name]) for path in run.glob("jobs/*/settings.json")
        }
        assert {one.data.tags[name] for one in jobs} == expected


def test_a_failed_job_tells_its_reason_and_no_curves(told) -> None:
    (failed,) = (one for one in told[1] if one.info.status == "FAILED")
    (done,) = (one for one in told[1] if one.info.status == "FINISHED")
    assert (failed.data.tags["status"], failed.data.tags["reason"]) == ("failed", REASON)
    assert (done.data.tags["status"], "reason" in done.data.tags) == ("done", False)
    assert done.data.metrics
    assert not failed.data.metrics


def test_a_job_that_was_done_later_has_no_reason_any_more(told, run: Path, store: str) -> None:
    (failed,) = run.glob("jobs/*/failed.txt")
    failed.unlink()
    (failed.parent / "done").touch()
    track_run(run)
    runs = _runs(store)
    assert {one.info.status for one in runs} == {"FINISHED"}
    assert not [one for one in runs if "reason" in one.data.tags]


def test_the_study_holds_answers_tables_figures_and_scores(told, run: Path, store: str) -> None:
    study, _ = told
    answers = json.loads((run / "statistics.json").read_text())["answers"]
    assert study.data.tags["mlflow.note.content"] == "\n".join(f"- {one}" for one in answers)
    client, identity = MlflowClient(store), study.info.run_id
    listed = {one.path for one in client.list_artifacts(identity)}
    assert {"report.html", "study.yaml", "metrics.json", "statistics.json"} <= listed
    for folder in ("tables", "figures"):
        held = {one.path for one in client.list_artifacts(identity, folder)}
        assert held == {f"{folder}/{path.name}" for path in (run / folder).iterdir()}
    assert any(key.endswith("/mri_and_pet/auroc") for key in study.data.metrics)


def test_a_run_that_has_not_ended_is_not_tracked(finished: Path, attempt, tmp_path) -> None:
    run = Path(shutil.copytree(finished, tmp_path / "run"))
    (run / "metrics.json").unlink()
    done = attempt("track", run)
    assert done.code == 2
    assert "is no finished run; only what has ended is tracked" in done.err
