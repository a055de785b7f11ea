"""A study whose models are trained by two ranks: started by torchrun, or by `--devices 2`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import rank_study
import yaml
from rank_study import BOTH, STUDY
from two_ranks import free_ports

import mmmed
from mmmed.pipelines import track

PROMPT = 25
"""Seconds in which a study whose rank fails must be over; torch itself would wait for minutes."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the runs of this file lie."""
    return tmp_path_factory.mktemp("place")


@pytest.fixture(scope="module")
def told(attempt_cache: Path, place: Path) -> list[dict[str, Any]]:
    """What each of two ranks that torchrun started says of the commands of `rank_study`."""
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
    done = subprocess.run(
        [sys.executable, *launcher, rank_study.__file__, str(place)],
        env={
            **os.environ,
            "MMMED_CACHE": str(attempt_cache),
            "OMP_NUM_THREADS": "1",
            "PORTS": " ".join(free_ports()),
            "PYTHONPATH": str(Path(mmmed.__file__).resolve().parents[1]),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads((place / f"rank-{rank}.json").read_text()) for rank in (0, 1)]


@pytest.fixture(scope="module")
def whole(told: list[dict[str, Any]], place: Path) -> Path:
    """The run folder that two ranks of torchrun left."""
    assert [one["whole"]["code"] for one in told] == [0, 0], told[0]["whole"]["err"]
    return place / "whole"


def predictions(run: Path) -> pd.DataFrame:
    return pd.read_csv(run / "predictions.tsv", sep="\t", skiprows=1)


def weights(run: Path) -> bytes:
    (found,) = run.glob("jobs/*/model/weights.safetensors")
    return found.read_bytes()


def test_ranks_of_torchrun_leave_a_whole_run(whole: Path) -> None:
    assert yaml.safe_load((whole / "study.yaml").read_text())["training"]["devices"] == 2
    assert (whole / "report.html").exists()
    assert (whole / "chain.json").exists()
    assert not list(whole.glob("jobs/*/checkpoint.pt"))
    assert "devices per machine: 2" in (whole / "model" / "MODEL_CARD.md").read_text()


def test_only_the_first_rank_speaks(told: list[dict[str, Any]], whole: Path) -> None:
    assert "run folder: whole" in told[0]["whole"]["err"]
    assert "report: " in told[0]["whole"]["out"]
    assert told[1]["whole"]["err"] == told[1]["whole"]["out"] == ""


def test_a_signal_to_one_rank_interrupts_all_of_them(told: list[dict[str, Any]]) -> None:
    assert [one["interrupted"]["code"] for one in told] == [130, 130]
    assert told[1]["interrupted"]["err"] == ""


def test_interrupted_ranks_resume_to_the_same_bits(
    told: list[dict[str, Any]], whole: Path, place: Path
) -> None:
    assert [one["resumed"]["code"] for one in told] == [0, 0]
    pd.testing.assert_frame_equal(predictions(place / "stopped"), predictions(whole))
    assert weights(place / "stopped") == weights(whole)


def test_what_the_first_rank_is_refused_ends_all_alike(told: list[dict[str, Any]]) -> None:
    assert [one["in use"]["code"] for one in told] == [2, 2]
    assert "whole: this run is finished" in told[0]["in use"]["err"]
    assert told[1]["in use"]["err"] == ""


def test_a_job_that_fails_on_the_first_rank_does_not_stop_the_next(
    told: list[dict[str, Any]], place: Path
) -> None:
    assert [one["partly"]["code"] for one in told] == [8, 8]
    assert "no calibration today" in told[0]["partly"]["err"]
    assert set(predictions(place / "partly")["method"]) == {"late-sum"}


def test_a_rank_that_fails_does_not_hang_the_others(told: list[dict[str, Any]]) -> None:
    broken = [one["broken"] for one in told]
    assert [one["code"] for one in broken] == [1, 1]
    assert max(one["seconds"] for one in broken) < PROMPT
    assert "rank 1 cannot train on, and so all end (ValueError: a file is gone)" in broken[1]["err"]
    assert "rank 0 cannot train on" in broken[0]["err"]


def test_ranks_that_the_command_starts_go_on_to_the_same_bits(
    whole: Path,
    attempt_in: Callable[..., Any],
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(track, "track_within_limit", lambda _: "nowhere")
    assert list(place.glob("left/jobs/*/checkpoint.pt"))
    done = attempt_in(place, *STUDY, BOTH, "--out=left", "--resume")
    assert done.code == 0, done.err
    pd.testing.assert_frame_equal(predictions(place / "left"), predictions(whole))
    assert weights(place / "left") == weights(whole)


def test_a_launch_that_does_not_fit_is_told_once(
    attempt: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "test")
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("LOCAL_RANK", "0")
    done = attempt(*STUDY)
    assert done.code == 2
    assert len(done.complaints) == 1
    assert "2 processes were started together" in done.err
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("LOCAL_RANK", "1")
    with pytest.raises(SystemExit, match=r"^2$"):
        attempt(*STUDY)


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--nodes=2", "torchrun or Slurm"),
        ("--devices=9", "less than one case per device"),
        ("--devices=0", "devices"),
        ("--precision=8-true", "training.precision"),
        ("--precision=16-mixed", "not on a CPU"),
    ],
)
def test_an_option_that_cannot_be_met_is_refused_in_one_line(
    attempt: Callable[..., Any], option: str, words: str
) -> None:
    done = attempt(*STUDY, option)
    assert done.code == 2
    assert len(done.complaints) == 1
    assert words in done.complaints[0]


def test_more_devices_than_the_machine_has_are_refused_in_one_line(
    attempt: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mmmed.training.device.cpu_count", lambda: 4)
    done = attempt(*STUDY, "--devices=5")
    assert done.code == 2
    assert done.complaints == [
        "mmmed: training.devices is 5, but this machine has 4 CPU cores; give --devices 4 or fewer"
    ]


def test_train_ad_takes_the_same_options(attempt: Callable[..., Any]) -> None:
    done = attempt("train-ad", "--devices=9", "--nodes=9", "--precision=32")
    assert done.code == 2
    assert len(done.complaints) == 1
    assert "a batch of 16 is less than one case per device" in done.complaints[0]
