"""When scans were taken, as `scans.tsv` beside them says, or as a session's name does."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date
from pathlib import Path

from mmmed.cohorts.visit import read_day
from mmmed.errors import DataError
from mmmed.readers.vectors import read_table

_DAY = re.compile(r"(?:ses-)?(\d{8})(?:\d{4}|\d{6}|T\d{4,6})?")
"""A label that is a date, with or without a time of day: `ses-20060102`."""


def scan_days(folder: Path, case: str) -> dict[Path, date]:
    """File -> day, of one case; what cannot be read says nothing.

    Args:
        folder: of the case.
        case: how its files are named: `sub-1_ses-2`.
    """
    days: dict[Path, date] = {}
    table = folder / f"{case}_scans.tsv"
    if not table.is_file():
        return days
    with suppress(DataError):
        for cells in read_table(table).to_dict(orient="records"):
            with suppress(DataError):
                days[folder / str(cells.get("filename"))] = read_day(str(cells.get("acq_time")))
    return days


def day_of_label(session: str) -> date | None:
    """The day that the name of a session is; None where it is no date."""
    found = _DAY.fullmatch(session)
    if found is None:
        return None
    with suppress(DataError):
        return read_day(found[1], form="%Y%m%d")
    return None
