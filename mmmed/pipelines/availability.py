"""The availability ledger of a cohort as files, and what absence depends on.

Writes `ledger.tsv`, `ledger.png` and `absence.tsv`; paths in them are relative to the input.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from mmmed.cohorts.cohort import Case, Cohort
from mmmed.cohorts.ledger import Entry, entries
from mmmed.evaluation.absence_text import sentences
from mmmed.evaluation.dependence import Effect, dependence
from mmmed.evaluation.figures import style
from mmmed.evaluation.figures.availability import availability
from mmmed.record import atomic, table
from mmmed.record.table import Schema

LEDGER = Schema(
    "mmmed-ledger",
    1,
    ("case_id", "subject_id", "session_id", "label", "modality", "status", "reason"),
    ("case_id", "modality"),
)
ABSENCE = Schema(
    "mmmed-absence",
    1,
    ("modality", "factor", "measure", "groups", "present", "absent", "value", "low", "high", "p",
     "holm", "reason"),
    ("modality", "factor", "measure"),
)  # fmt: skip

AGE, SEX = ("age",), ("sex", "gender")
"""What a column of these is called, in any case."""


def effects(cohort: Cohort) -> list[Effect]:
    """How absence goes with diagnosis, age, sex and site, over cases and those that own nothing.

    What the cohort leaves out on purpose does not count.
    """
    cases = [*cohort.cases, *cohort.bare]
    index = [case.id for case in cases]
    owned = pd.DataFrame(
        [[name in case.sources for name in cohort.modalities] for case in cases],
        index=index,
        columns=list(cohort.modalities),
        dtype=bool,
    )
    factors = {
        "diagnosis": _texts([cohort.classes[c.label] if c.label >= 0 else None for c in cases]),
        "age": pd.to_numeric(
            pd.Series([_recorded(c, AGE) for c in cases], dtype=object), errors="coerce"
        ).replace([np.inf, -np.inf], np.nan),
        "sex": _texts([_recorded(case, SEX) for case in cases]),
        "site": _texts([case.site for case in cases]),
    }
    known = {
        name: pd.Series(values.to_numpy(), index=index)
        for name, values in factors.items()
        if values.notna().any()
    }
    return dependence(owned, known, pd.Series([case.subject for case in cases], index=index))


def told(found: Sequence[Effect]) -> list[str]:
    """The effects in words."""
    return sentences(found)


def write(cohort: Cohort, found: Sequence[Effect], out: Path, *, root: Path | None) -> None:
    """Write the ledger of a cohort and the effects on absence.

    Args:
        cohort: after its files were read, or as names and tables tell it.
        found: the effects.
        out: the folder.
        root: of the input, which paths in reasons are made relative to.

    Raises:
        RunError: the folder cannot be written to.
    """
    atomic.made(out, advice="choose another --out")
    listed = entries(cohort)
    table.write(out / "ledger.tsv", LEDGER, [_row(one, root) for one in listed])
    table.write(out / "absence.tsv", ABSENCE, [asdict(one) for one in found])
    status = pd.DataFrame([(one.case, one.modality, one.status) for one in listed])
    if status.empty:
        return
    wide = status.pivot_table(index=0, columns=1, values=2, aggfunc="first")
    groups = {one.case: one.label or "no case, or no label" for one in listed}
    figure = availability(
        wide[list(cohort.modalities)], pd.Series([groups[one] for one in wide.index], wide.index)
    )
    style.save(figure, out / "ledger.png")


def _row(one: Entry, root: Path | None) -> dict[str, table.Cell]:
    reason = " ".join(one.reason.split())
    return {
        "case_id": one.case,
        "subject_id": one.subject,
        "session_id": one.session,
        "label": one.label,
        "modality": one.modality,
        "status": one.status,
        "reason": (reason if root is None else reason.replace(f"{root}/", "")) or None,
    }


def _recorded(case: Case, names: Sequence[str]) -> str | float | None:
    """The first covariate of one of these names that says something."""
    for name, value in case.covariates.items():
        if name.lower() in names and value is not None:
            return value
    return None


def _texts(values: Sequence[str | float | None]) -> pd.Series:
    return pd.Series([None if one is None else str(one) for one in values], dtype=object)
