"""Dates and times as headers write them: DA, TM and DT of DICOM PS3.5 6.2.

moment   a date and a time of day, with the offset from UTC where a DT states one
grain    seconds that the text leaves open: `1101` is any time of one minute
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo

from pydicom.valuerep import DA, DT, TM

from mmmed.errors import UnitsError
from mmmed.readers.suv.element import name

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Stamp:
    """A time of day, and how finely it is stated, in seconds."""

    time: time
    grain: float


@dataclass(frozen=True)
class Moment:
    """A moment, and how finely it is stated, in seconds; naive where no offset is stated."""

    at: datetime
    grain: float

    @property
    def stamp(self) -> Stamp:
        """The time of day on the clock that wrote it."""
        return Stamp(self.at.time(), self.grain)


def read_date(keyword: str, text: str) -> date:
    """The date that a DA states.

    Raises:
        UnitsError: it states none.
    """
    try:
        found = DA(text.strip())
    except ValueError:
        found = None
    if found is None:
        raise UnitsError(f"{name(keyword)} is {text!r}, which is no date")
    return date(found.year, found.month, found.day)


def read_time(keyword: str, text: str) -> Stamp:
    """The time of day that a TM states; parts that are left out are 0.

    Raises:
        UnitsError: it states none.
    """
    plain = text.strip().replace(":", "")  # ACR-NEMA wrote colons
    try:
        found = TM(_without_leap_second(plain, at=4))
    except ValueError:
        found = None
    if found is None:
        raise UnitsError(f"{name(keyword)} is {text!r}, which is no time of day")
    stated = time(found.hour, found.minute, found.second, found.microsecond)
    return Stamp(stated, _grain(plain, hours_end=2))


def read_moment(keyword: str, text: str) -> Moment:
    """The moment that a DT states.

    Raises:
        UnitsError: it states none, or no time of day.
    """
    plain = text.strip()
    try:
        found = DT(_without_leap_second(plain, at=12))
    except ValueError:
        found = None
    digits = plain.replace("-", "+").split("+")[0].split(".")[0]
    if found is None or len(digits) < 10:
        raise UnitsError(f"{name(keyword)} is {text!r}, which is no date with a time of day")
    at = datetime.fromisoformat(found.isoformat())
    return Moment(at, _grain(plain, hours_end=10))


def read_zone(keyword: str, text: str) -> tzinfo:
    """The offset from UTC that `+0100` states.

    Raises:
        UnitsError: it states none.
    """
    sign, digits = text[:1], text[1:]
    hours, minutes = digits[:2], digits[2:]
    if sign not in ("+", "-") or not digits.isdigit() or len(digits) != 4 or int(minutes) > 59:
        raise UnitsError(f"{name(keyword)} is {text!r}, which is no offset from UTC like +0100")
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    if offset >= DAY:
        raise UnitsError(f"{name(keyword)} is {text!r}, which is more than a day")
    return timezone(-offset if sign == "-" else offset)


def seconds_between(earlier: datetime, later: datetime, *, zone: tzinfo | None) -> float | None:
    """Seconds from one moment to another; None where one has an offset and `zone` is not known.

    Args:
        earlier: a moment, naive where it is on the clock of the series.
        later: another.
        zone: of that clock.
    """
    if (earlier.tzinfo is None) == (later.tzinfo is None):
        return (later - earlier).total_seconds()
    if zone is None:
        return None
    return (_placed(later, zone) - _placed(earlier, zone)).total_seconds()


def in_zone(moment: datetime, zone: tzinfo) -> datetime:
    """A moment as the clocks of another zone show it.

    Raises:
        UnitsError: it lies at the end of the calendar.
    """
    try:
        return moment.astimezone(zone)
    except OverflowError as error:
        raise _beyond(moment) from error


def nearest(moment: datetime, other: datetime) -> datetime:
    """That of the moments with its time of day, on its day and those beside it, nearest to another.

    Raises:
        UnitsError: it lies at the end of the calendar.
    """
    days = min((-DAY, timedelta(0), DAY), key=lambda one: abs(moment - other + one))
    try:
        return moment + days
    except OverflowError as error:
        raise _beyond(moment) from error


def _beyond(moment: datetime) -> UnitsError:
    return UnitsError(f"{moment:%Y-%m-%d %H:%M:%S} is no moment of a scan")


def seconds_of_day(stamp: Stamp) -> float:
    """Seconds since midnight."""
    day = datetime(2000, 1, 1, tzinfo=UTC)
    return (datetime.combine(day, stamp.time, UTC) - day).total_seconds()


def _placed(moment: datetime, zone: tzinfo) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _without_leap_second(text: str, *, at: int) -> str:
    """The text with second 60, which no clock of Python's has, as second 59."""
    return f"{text[:at]}59{text[at + 2 :]}" if text[at : at + 2] == "60" else text


def _grain(text: str, *, hours_end: int) -> float:
    """What is left open by a text whose hours end at a position."""
    digits = text.replace("-", "+").split("+")[0].split(".")[0]
    left_out = {0: 3600.0, 2: 60.0}
    return left_out.get(len(digits) - hours_end, 0.0)
