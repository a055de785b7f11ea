"""A study by ranks that torchrun started, in one process each: well, interrupted and failing.

Run as a program, `torchrun --nproc-per-node=2 rank_study.py FOLDER`, it leaves in
`FOLDER/rank-N.json` the exit code and the words of each command.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch.distributed as dist

from mmmed.cli.app import exit_code
from mmmed.pipelines import jobs
from mmmed.training.loader import StepLoader

STUDY = (
    "run",
    "toy/xor",
    "--set=methods=[{kind: early-fusion}]",
    "--set=cohort.simulation={subjects: {train: 32, validation: 8, calibration: 16, test: 16}}",
    "--set=training={steps: 60, batch: 8, check_every: 25, checkpoint_every: 10}",
    "--set=evaluation={interval: {draws: 100}}",
    "--device=cpu",
)
BOTH = "--devices=2"
STOP_AT = 25


def attempt(*arguments: str) -> dict[str, Any]:
    """What a command leaves: exit code, words and seconds."""
    out, err, begun = io.StringIO(), io.StringIO(), time.monotonic()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = exit_code(arguments)
        except SystemExit as error:
            code = error.code
    if dist.is_initialized():
        dist.destroy_process_group()
    seconds = time.monotonic() - begun
    return {"code": code, "out": out.getvalue(), "err": err.getvalue(), "seconds": seconds}


def session(rank: int, meet_anew: Callable[[], None]) -> dict[str, Any]:
    """Every way a study can end; the last one leaves the ranks without each other."""
    two = "--set=methods=[{kind: early-fusion}, {kind: late-sum}]"
    found = {"whole": attempt(*STUDY, BOTH, "--out=whole")}
    meet_anew()
    with _stopped() if rank == 0 else nullcontext():
        found["interrupted"] = attempt(*STUDY, BOTH, "--out=stopped")
    if rank == 0:
        shutil.copytree("stopped", "left")
    meet_anew()
    found["resumed"] = attempt(*STUDY, BOTH, "--out=stopped", "--resume")
    meet_anew()
    found["in use"] = attempt(*STUDY, BOTH, "--out=whole")
    meet_anew()
    with _first_job_fails() if rank == 0 else nullcontext():
        found["partly"] = attempt(*STUDY, two, BOTH, "--out=partly")
    meet_anew()
    with _breaking() if rank == 1 else nullcontext():
        found["broken"] = attempt(*STUDY, BOTH, "--out=broken")
    return found


def _stopped() -> AbstractContextManager[Any]:
    """This rank alone gets the signal of a scheduler."""

    def stop(self: Any, phase: str, step: int, steps: int, losses: Any) -> None:
        if step == STOP_AT:
            os.kill(os.getpid(), signal.SIGTERM)

    return patch.object(jobs._Progress, "__call__", stop)


def _first_job_fails() -> AbstractContextManager[Any]:
    """After its training, where the other ranks cannot see it."""
    return patch.object(jobs, "calibrate", _once(jobs.calibrate))


def _once(call: Callable[..., Any]) -> Callable[..., Any]:
    failed: list[bool] = []

    def failing(*args: Any, **options: Any) -> Any:
        if failed:
            return call(*args, **options)
        failed.append(True)
        raise ValueError("no calibration today")

    return failing


def _breaking() -> AbstractContextManager[Any]:
    """This rank alone cannot read a batch."""
    whole = StepLoader.batch

    def batch(self: StepLoader, t: int, **options: int) -> Any:
        if t == STOP_AT:
            raise ValueError("a file is gone")
        return whole(self, t, **options)

    return patch.object(StepLoader, "batch", batch)


def main(folder: Path) -> None:
    """One rank's part of the session."""
    rank = int(os.environ["RANK"])
    ports = iter(os.environ["PORTS"].split())

    def meet_anew() -> None:
        os.environ |= {"MASTER_PORT": next(ports), "TORCHELASTIC_USE_AGENT_STORE": "False"}

    os.chdir(folder)
    with patch("mmmed.pipelines.track.track_within_limit", lambda _: "nowhere"):
        found = session(rank, meet_anew)
    Path(f"rank-{rank}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
