"""Batch prediction: a model package over a folder, by the package's own settings.

partly read   a case of which some item cannot be used; it is predicted from the rest
refused       a case whose subject the package was trained, chosen or calibrated on
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import torch

from mmmed.cohorts.cohort import Case, Fault
from mmmed.errors import MmmedError, NothingReadable
from mmmed.inference.reading import read_cohort, set_apart, stock
from mmmed.progress import Listener, Progress, Silent
from mmmed.readers.dicom.line import reason_line
from mmmed.record import atomic, table
from mmmed.record.table import WOULD, Cell, Schema
from mmmed.training import attended, manifest, package
from mmmed.training.package import Package
from mmmed.training.predicting import View, columns, score
from mmmed.training.shelf import Shelf
from mmmed.transforms import gallery, overviews

PROTOCOL = "complete"
"""Every case is predicted under what it owns, as by the protocol of this name in a study."""

QUARANTINE = Schema(
    "mmmed-quarantine", 1, ("case_id", "modality", "reason"), ("case_id", "modality", "reason")
)

Rows = list[dict[str, Cell]]


@dataclass(frozen=True)
class Counts:
    """What became of the cases of a folder.

    Attributes:
        predicted: cases with a prediction.
        partly_read: of those, cases of which some item cannot be used.
        refused: cases of subjects the package has met.
        unreadable: what is left out: cases, subjects or files of which nothing can be used.
    """

    predicted: int
    partly_read: int
    refused: int
    unreadable: int

    def __str__(self) -> str:
        return (
            f"{self.predicted} predicted ({self.partly_read} from a part of their files), "
            f"{self.refused} refused as known to the model, {self.unreadable} unreadable"
        )


def predict_folder(
    model: Path,
    data: Path,
    out: Path,
    *,
    jobs: int = 1,
    qc: bool = True,
    listener: Listener | None = None,
) -> Counts:
    """Predict every case of a folder under what it owns; write what was left out, and why.

    Writes `predictions.tsv`, `quarantine.tsv` and `summary.json` into `out`, for a folder of DICOM
    also `choice.tsv`, and `derivations.json` where it is known how the values of PETs came about;
    `attention.tsv` where the method weighs items: an explanation of a prediction, not evidence.
    Where the package knows, predictions also say what the modality that a case lacks might change.

    Args:
        model: a model package.
        data: a folder of the kind the package was trained on, such as BIDS; or of DICOM, where its
            chains register.
        out: made where it is missing.
        jobs: processes that prepare images; no prediction depends on it.
        qc: write `quality.tsv` and a montage of each scan whose chain registers, and an overview
            of each slide with its tiles; `attended.tsv` and pictures of each case's most attended
            images where the method weighs items.
        listener: hears how far it is.

    Raises:
        RunError: the package cannot be used, or `out` cannot be written to.
        NothingReadable: the folder holds no case, or no case can be used.
    """
    tell = listener or Silent()
    loaded = package.load(model)
    atomic.made(out, advice="choose another --out")
    torch.set_num_threads(loaded.manifest.threads)
    read = read_cohort(loaded.manifest, data, out=out, jobs=jobs, listener=tell)
    for sentence in read.notes:
        tell.note(sentence)
    cohort, known = set_apart(loaded.manifest, read)
    items = sum(len(one) for case in cohort.cases for one in case.sources.values())
    total = items + len(cohort.cases)
    cohort, shelf, shown = stock(
        loaded.manifest, cohort, jobs=jobs, progress=lambda done, _: tell("predict", done, total)
    )
    rows, attention, failed = _predict(
        loaded, shelf, cohort.cases, lambda done, _: tell("predict", items + done, total)
    )
    faults = (*known, *cohort.faults, *failed)
    counts = _count(rows, faults, refused=len(known))
    _write(out, loaded, rows, faults, counts, data=data)
    if qc:
        drawn = partial(tell, "montages")
        gallery.write(shown, out, jobs=jobs, progress=drawn)
        overviews.write(overviews.sampled(cohort.items()), out, jobs=jobs, progress=drawn)
        if attention:
            attended.write(out, shelf, rows, attention)
    if attention:
        table.write(out / "attention.tsv", table.ATTENTION, attention)
    if derivations := shelf.derivations():
        atomic.write_json(out / "derivations.json", derivations)
    if not rows and not known:
        raise NothingReadable(
            f"{data}: no case can be read ({faults[0]}); {out / 'quarantine.tsv'} lists them all"
        )
    return counts


def _predict(
    loaded: Package, shelf: Shelf, cases: Sequence[Case], progress: Progress
) -> tuple[Rows, Rows, list[Fault]]:
    """One row per case, and how much its items counted where that is told.

    A case that fails becomes a fault and the rest goes on.
    """
    rows: Rows = []
    attention: Rows = []
    failed: list[Fault] = []
    for done, case in enumerate(cases, start=1):
        view = View(case=case.id, protocol=PROTOCOL, rate=None, pattern=shelf.owned(case.id))
        try:
            scored = score(loaded, shelf, {case.id: case}, [view], split=None)
            (row,) = scored.predictions
            rows.append({**row, **{name: one[name] for one in scored.outlooks for name in WOULD}})
            attention += scored.attention
        except MmmedError as error:
            failed.append(Fault(case.id, None, str(error)))
        progress(done, len(cases))
    return rows, attention, failed


def _count(rows: Rows, faults: Iterable[Fault], *, refused: int) -> Counts:
    predicted = {str(row["case_id"]) for row in rows}
    faulty = {fault.where for fault in faults}
    return Counts(
        predicted=len(predicted),
        partly_read=len(predicted & faulty),
        refused=refused,
        unreadable=len(faulty - predicted) - refused,
    )


def _write(
    out: Path,
    loaded: Package,
    rows: Rows,
    faults: Iterable[Fault],
    counts: Counts,
    *,
    data: Path,
) -> None:
    names = (*columns(loaded.manifest.classes), *(WOULD if loaded.foresights else ()))
    table.write(out / "predictions.tsv", table.PREDICTIONS, rows, extra=names)
    reasons = [
        {
            "case_id": fault.where,
            "modality": fault.modality,
            "reason": reason_line(fault.reason, data),
        }
        for fault in faults
    ]
    table.write(out / "quarantine.tsv", QUARANTINE, reasons)
    summary = {
        **asdict(counts),
        "package": loaded.manifest.digest,
        "weights": loaded.manifest.weights,
        "method": loaded.manifest.name,
        "versions": manifest.versions(),
    }
    atomic.write_json(out / "summary.json", summary)
