"""A rank that does not lead: it takes part in the training of every job, and leaves nothing.

Torchrun and Slurm start the whole command once per device. The first rank runs the study as if it
were alone; the others make the same agenda from the same caches and join in wherever it trains.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from mmmed import library
from mmmed.errors import PartlyFailed, RanksError
from mmmed.pipelines.agenda import make_agenda
from mmmed.pipelines.backends.running import parallel_jobs, waiting_jobs
from mmmed.pipelines.job import Job
from mmmed.pipelines.resolve import resolve
from mmmed.pipelines.study import Study
from mmmed.pipelines.trained import trained
from mmmed.progress import Silent
from mmmed.training.device import place
from mmmed.training.launcher import check_launch
from mmmed.training.ranks import in_turn, joined, told


def follow(
    study: Study, *, start: Path | None, origin: library.Found | None, device: str, jobs: int | None
) -> None:
    """Train along with the first rank; the arguments are those of `run`.

    Raises:
        MmmedError: what the first rank meets, so that all end alike.
        RanksError: what only this rank can tell.
        PartlyFailed: some jobs failed.
    """
    resolved = resolve(study, start=start, origin=origin)
    place(device, count=study.training.devices, precision=study.training.precision)
    check_launch(study.training)
    parallel = parallel_jobs(jobs, threads=study.training.threads)
    with joined(device):
        run: Path | None = told(Path)
        if run is None:  # another shard has finished it
            return
        agenda = in_turn(
            partial(make_agenda, resolved, device=device, parallel=parallel, listener=Silent())
        )
        for job in waiting_jobs(agenda.jobs, run):
            _train_along(job, run)
        failed = told(tuple[str, ...])
    if failed:
        raise PartlyFailed("\n".join(failed))


def _train_along(job: Job, run: Path) -> None:
    try:
        trained(job, job.folder(run), report=None)
    except RanksError:
        raise
    except Exception:  # noqa: BLE001 - before ranks meet: the first one meets it too and writes it
        return
