"""Jobs carried by dask, by ray and by shards: the same bytes; what cannot be is one line."""

from __future__ import annotations

import importlib
import socket
import sys
from pathlib import Path

import pytest

import mmmed


@pytest.mark.dask
def test_processes_of_dask_give_the_bytes_of_one_process(toy, alike, tmp_path) -> None:
    done = toy("--backend=dask", "--jobs=2", "--out=run")
    assert done.code == 0, done.err
    assert alike(tmp_path / "run")


@pytest.mark.ray
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_processes_of_ray_give_the_bytes_of_one_process(toy, alike, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(mmmed.__file__).resolve().parents[1]))
    done = toy("--backend=ray", "--jobs=2", "--out=run")
    assert done.code == 0, done.err
    assert alike(tmp_path / "run")


def test_shards_in_any_order_give_the_bytes_of_one_process(toy, alike, tmp_path) -> None:
    first = toy("--shard=2/2", "--jobs=1", "--out=run")
    assert first.code == 0, first.err
    assert "2 of 4 jobs are open (2 of shard 1/2)" in first.out
    assert not (tmp_path / "run" / "report.html").exists()
    last = toy("--shard=1/2", "--jobs=1", "--out=run")
    assert last.code == 0, last.err
    assert alike(tmp_path / "run")
    assert not (tmp_path / "run" / ".locks").exists()
    before = (tmp_path / "run" / "chain.json").read_bytes()
    again = toy("--shard=2/2", "--jobs=1", "--out=run")
    assert (again.code, "another one wrote the report" in again.out) == (0, True)
    assert (tmp_path / "run" / "chain.json").read_bytes() == before


def test_a_shard_that_is_refused_at_its_start_leaves_no_folder(toy, tmp_path) -> None:
    refused = toy("--shard=1/2", "--out=run", "--set=cohort.simulation.subjects.train=0")
    assert refused.code == 2
    assert not (tmp_path / "run").exists()
    backend = toy("--shard=1/2", "--out=run", "--backend=dask", "--address=tcp://127.0.0.1:9")
    assert (backend.code, "no dask scheduler answers" in backend.err) == (2, True)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--shard=0/2", "--out=run"], "write k/n with 1 <= k <= n"),
        (["--shard=3/2", "--out=run"], "write k/n with 1 <= k <= n"),
        (["--shard=two", "--out=run"], "write k/n with 1 <= k <= n"),
        (["--shard=1/2"], "with --out"),
        (["--backend=spark"], "write loky, dask or ray"),
        (["--address=tcp://here:1"], "add --backend dask or ray"),
        (["--backend=dask", "--address=here"], "is no address of dask"),
        (["--backend=dask", "--devices=2"], "trains a model on one device"),
    ],
)
def test_an_option_that_cannot_be_met_is_one_line(toy, options, words) -> None:
    done = toy(*options)
    assert done.code == 2
    assert len(done.complaints) == 1
    assert words in done.complaints[0]


@pytest.mark.ray
def test_a_ray_cluster_that_does_not_answer_is_one_line(toy, tmp_path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    done = toy("--backend=ray", f"--address=127.0.0.1:{port}", "--out=run")
    assert done.code == 2
    assert len(done.complaints) == 1
    assert "no ray cluster answers" in done.complaints[0]
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("kind", "package"), [("dask", "distributed"), ("ray", "ray")])
def test_a_backend_that_is_not_installed_names_its_extra(toy, monkeypatch, kind, package) -> None:
    importlib.invalidate_caches()
    monkeypatch.setitem(sys.modules, package, None)
    done = toy(f"--backend={kind}", "--out=run")
    assert done.code == 2
    assert done.complaints == [
        f"mmmed: --backend {kind} needs an optional package: pip install 'mmmed[{kind}]'"
    ]
