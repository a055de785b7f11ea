"""How jobs ended, as their folders say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mmmed.pipelines.job import DONE, Job
from mmmed.record import atomic

FAILED = "failed.txt"
"""The file in which a failed job leaves its reason."""
UNTOLD = "its process ended without a word; go on with --resume"


def failure(folder: Path) -> str | None:
    """Why the job of a folder failed; None where it did not."""
    try:
        return (folder / FAILED).read_text(encoding="utf-8").strip()
    except OSError:
        return None


def fail(folder: Path, reason: str) -> None:
    """Write down why the job of a folder failed."""
    atomic.write_text(folder / FAILED, reason + "\n")


def is_over(folder: Path) -> bool:
    """Whether the job of a folder is done or has failed."""
    return (folder / DONE).exists() or (folder / FAILED).exists()


def failures(jobs: Sequence[Job], run: Path) -> tuple[str, ...]:
    """One line per job that is not done: its name and the reason."""
    return tuple(
        f"{job.name}: {failure(job.folder(run)) or UNTOLD}" for job in jobs if not job.is_done(run)
    )


def reopen(jobs: Sequence[Job], run: Path) -> None:
    """Forget why jobs failed before: they are tried again."""
    for job in jobs:
        (job.folder(run) / FAILED).unlink(missing_ok=True)
