"""What a method tells beside its predictions: `report.json`, and what it guessed, `imputed.tsv`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from mmmed.modality import Pattern
from mmmed.models.contract import Guess, Model
from mmmed.models.imputers.report import mean_errors
from mmmed.pipelines.job import Job
from mmmed.record import atomic, table
from mmmed.record.table import Cell
from mmmed.training.loader import forced

REPORT, IMPUTED = "report.json", "imputed.tsv"
BATCH = 16
"""Cases per forward pass."""


def write_told(job: Job, model: Model, folder: Path, *, seconds: Mapping[str, float]) -> None:
    """Ask the model, of test cases that own every modality.

    Args:
        job: that is done.
        model: as trained.
        folder: of the job.
        seconds: phase -> wall time.
    """
    shelf = job.work.shelf
    owned = {case: shelf.owned(case) for case in job.plan.fold.cases("test")}
    guesses = list(model.guesses(forced(shelf, owned, Pattern.of(shelf.names), batch=BATCH)))
    if guesses:
        rows = of_study(job, list(_rows(job, guesses)))
        table.write(folder / IMPUTED, table.IMPUTED, rows, extra=table.STUDY_COLUMNS)
    if told := model.report():
        about = {
            "method": job.method.name,
            "train": job.plan.train,
            "fold": job.plan.fold.name,
            "seed": job.seed,
        }
        values = {**about, **told, "error": mean_errors(guesses), "seconds": dict(seconds)}
        atomic.write_json(folder / REPORT, values)


def of_study(
    job: Job, rows: Sequence[Mapping[str, Cell]], *, cohort: str | None = None
) -> list[dict[str, Cell]]:
    """Rows with the columns that tables of a study have after their own.

    Args:
        job: whose rows they are.
        rows: of any table.
        cohort: whose cases they are about; by default the study's own.
    """
    return [{**row, "cohort": cohort or job.work.cohort, "train": job.plan.train} for row in rows]


def _rows(job: Job, guesses: Iterable[Guess]) -> Iterator[dict[str, Cell]]:
    """A row of `record.table.IMPUTED` per test case, modality and figure."""
    for guess in guesses:
        case = job.work.cases[guess.case]
        about = {
            "case_id": case.id,
            "subject_id": case.subject,
            "session_id": case.session,
            "site": case.site,
            "split": "test",
            "fold": job.plan.fold.name,
            "seed": job.seed,
            "method": job.method.name,
            "modality": guess.modality,
            "space": guess.space,
        }
        for figure, value in guess.error.items():
            yield {**about, "figure": figure, "error": value}
