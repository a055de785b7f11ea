"""When a visit was and whose, as folder names and tables write it.

subject key  the id without `sub-`: `01` of `sub-01`
session key  the label without `ses-`; one that counts months is `M` and three digits, so that
             `ses-M00`, `M000`, `m0` and `bl` are one session
month        since the baseline; from the key, a column, or the days between dates
day          of a visit or a scan
"""

from __future__ import annotations

import re
from datetime import date, datetime

from mmmed.errors import DataError

DAYS_PER_MONTH = 365.25 / 12

_MONTHS = re.compile(r"[Mm](\d{1,4})")
_ISO = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ].*)?")


def subject_key(text: str) -> str:
    """The id of a subject without `sub-`."""
    return text.strip().removeprefix("sub-")


def session_key(text: str) -> str:
    """The label of a session without `ses-`, months in one spelling."""
    label = text.strip().removeprefix("ses-")
    months = _MONTHS.fullmatch(label)
    if months:
        return f"M{int(months[1]):03d}"
    return "M000" if label.lower() == "bl" else label


def month_of(key: str) -> float | None:
    """The month that a session key counts; None where it counts none."""
    months = _MONTHS.fullmatch(key)
    return float(months[1]) if months else None


def read_day(text: str, *, form: str | None = None) -> date:
    """A date as a table writes it.

    Args:
        text: the cell.
        form: as of `strptime`; None for ISO 8601, of which the time of day is dropped.

    Raises:
        DataError: the cell is no such date.
    """
    try:
        if form is not None:
            return datetime.strptime(text.strip(), form).date()  # noqa: DTZ007 - days have no zone
        matched = _ISO.fullmatch(text.strip())
        return date.fromisoformat(matched[1] if matched else text)
    except ValueError as error:
        wanted = form or "YYYY-MM-DD"
        raise DataError(f"{text!r} is no date written {wanted}; state `day_format`") from error


def read_month(text: str) -> float:
    """A month as a table writes it.

    Raises:
        DataError: the cell is no number, or negative.
    """
    try:
        month = float(text)
    except ValueError:
        month = float("nan")
    if not 0 <= month < 12_000:
        raise DataError(f"{text!r} is no month since the baseline")
    return month
