"""The ledger of a folder of DICOM files: its series, and what is not read, and why.

Only headers are read. A patient is a digest, never a name or a hospital's number.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pandas as pd

from mmmed.cohorts.choice_table import not_read
from mmmed.cohorts.cohort import NEVER, PRESENT
from mmmed.evaluation.figures import style
from mmmed.evaluation.figures.availability import availability
from mmmed.readers.dicom.index import Index, Series
from mmmed.readers.dicom.line import shown_path
from mmmed.record import atomic, table
from mmmed.record.table import Cell, Schema

SERIES = Schema(
    "mmmed-series-ledger",
    1,
    ("patient", "date", "study", "series", "modality", "description", "files", "status", "code",
     "reason", "path"),
    ("patient", "study", "series", "path"),
)  # fmt: skip

DIGITS = 10
"""Of the digest that stands for a patient."""


def sentences(index: Index) -> list[str]:
    """What is there, in counts."""
    patients = {_patient(one) for one in index.series}
    studies = {one.study for one in index.series}
    kinds = Counter(one.modality or "no modality" for one in index.series)
    counted = ", ".join(f"{count} {name}" for name, count in sorted(kinds.items()))
    counts = (len(index.series), len(studies), len(patients))
    words = (("series", "series"), ("DICOM Study", "DICOM Studies"), ("patient", "patients"))
    found = " of ".join(
        f"{count} {one if count == 1 else many}"
        for count, (one, many) in zip(counts, words, strict=True)
    )
    lines = [f"DICOM: {found}: {counted}" if counted else f"DICOM: {found}"]
    aside = Counter(one.code for one in index.aside if one.verdict == "set-aside")
    if aside:
        told = ", ".join(f"{count} {code}" for code, count in sorted(aside.items()))
        lines.append(f"set aside: {told}")
    return lines


def faults(index: Index) -> list[str]:
    """What cannot be read, or not rightly; what is set aside is none."""
    return [
        f"{one.path}: {one.verdict}: {one.text}"
        for one in index.aside
        if one.verdict != "set-aside"
    ]


def write(index: Index, out: Path) -> None:
    """Write `ledger.tsv`, and `ledger.png` where there is a series.

    Raises:
        RunError: the folder cannot be written to.
    """
    atomic.made(out, advice="choose another --out")
    aside = [{**not_read(one), "code": one.code, "reason": one.text} for one in index.aside]
    rows = [*map(_found, index.series), *aside]
    table.write(out / "ledger.tsv", SERIES, rows)
    if not index.series:
        return
    cells = [(_patient(one), one.modality or "?", PRESENT) for one in index.series]
    listed = pd.DataFrame(cells, columns=["patient", "modality", "status"])
    wide = listed.pivot_table(
        index="patient", columns="modality", values="status", aggfunc="first"
    ).fillna(NEVER)
    style.save(availability(wide, pd.Series("patients", wide.index)), out / "ledger.png")


def _patient(one: Series) -> str:
    return one.headers[0].identity[:DIGITS] or "unknown"


def _found(one: Series) -> dict[str, Cell]:
    return {
        "patient": _patient(one),
        "date": one.headers[0].date or None,
        "study": one.study,
        "series": one.uid,
        "modality": one.modality or None,
        "description": one.description or None,
        "files": len(one.headers),
        "status": PRESENT,
        "path": shown_path(one.headers[0].path),
    }
