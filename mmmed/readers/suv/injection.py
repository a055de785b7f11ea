"""When the tracer was given, on the clock of the series.

The header states a date and time (DT), or only a time of day (TM), which leaves the day open. A
day is concluded where one alone is possible: after `PATIENCE` half-lives less than 1 % of the dose
is left and nobody makes an image of it, so of a short-lived tracer the injection was within one
day before.
"""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

from mmmed.errors import UnitsError
from mmmed.readers.suv.clock import (
    DAY,
    Moment,
    Stamp,
    in_zone,
    read_moment,
    read_time,
    read_zone,
    seconds_between,
    seconds_of_day,
)
from mmmed.readers.suv.element import missing, name
from mmmed.readers.suv.reading import Reading

MOMENT, TIME, ZONE = (
    "RadiopharmaceuticalStartDateTime",
    "RadiopharmaceuticalStartTime",
    "TimezoneOffsetFromUTC",
)
PATIENCE = 7.0
"""Half-lives from injection to image: 0.8 % is left."""

BEFORE_INJECTION = 600.0
"""Seconds that a dynamic scan may begin before the injection."""

SAME = 1.0
"""Seconds by which two statements of one time may differ."""


def elapsed(reading: Reading, anchor: Moment, *, half_life: float) -> float:
    """Seconds from the injection to the moment that values are decay corrected to.

    Raises:
        UnitsError: the injection is not stated, contradicts itself or the anchor.
    """
    moment, stamp = _stated(reading)
    if moment is None and stamp is None:
        raise missing(MOMENT, TIME)
    if moment is not None and stamp is not None:
        _check_agree(reading, moment, stamp)
    if moment is not None:
        seconds = _since(reading, moment, anchor, on_series_clock=stamp is not None)
        if _can_be(reading, seconds, half_life):
            _note_grain(reading, MOMENT, moment.grain, half_life)
            reading.step(f"injection: {MOMENT}")
            return seconds
        if stamp is None:
            raise UnitsError(_impossible(MOMENT, moment.at, anchor.at, seconds))
        reading.note(
            f"{name(MOMENT)} {moment.at:%Y-%m-%d %H:%M:%S} does not belong to the day of the scan; "
            "its time of day counts alone"
        )
    stamp = stamp or Stamp(anchor.at.time(), 0.0)
    return _by_time_of_day(reading, stamp, anchor, half_life)


def _stated(reading: Reading) -> tuple[Moment | None, Stamp | None]:
    date_time, time = reading.isotope_text(MOMENT), reading.isotope_text(TIME)
    return (
        read_moment(MOMENT, date_time) if date_time else None,
        read_time(TIME, time) if time else None,
    )


def _check_agree(reading: Reading, moment: Moment, stamp: Stamp) -> None:
    """Refuse a DT and a TM of different times of day, also where the DT is of another zone."""
    own = seconds_of_day(moment.stamp)
    zone = _zone(reading)
    shown = in_zone(moment.at, zone) if zone and moment.at.tzinfo else moment.at
    local = seconds_of_day(Stamp(shown.time(), moment.grain))
    apart = min(abs(seconds_of_day(stamp) - one) for one in (own, local))
    if apart > SAME + max(stamp.grain, moment.grain):
        raise UnitsError(
            f"{name(MOMENT)} says {shown:%H:%M:%S} and {name(TIME)} says {stamp.time:%H:%M:%S}; "
            "which of them is the injection cannot be told"
        )


def _since(reading: Reading, moment: Moment, anchor: Moment, *, on_series_clock: bool) -> float:
    """Seconds from injection to anchor; without any zone, a DT that agrees with TM is local."""
    seconds = seconds_between(moment.at, anchor.at, zone=_zone(reading))
    if seconds is not None:
        return seconds
    if on_series_clock:
        return (anchor.at.replace(tzinfo=None) - moment.at.replace(tzinfo=None)).total_seconds()
    raise UnitsError(
        f"{name(MOMENT)} or the scan states an offset from UTC and the other does not, and "
        f"{name(ZONE)} is missing"
    )


def _zone(reading: Reading) -> tzinfo | None:
    text = reading.text(ZONE)
    return read_zone(ZONE, text) if text else None


def _by_time_of_day(reading: Reading, stamp: Stamp, anchor: Moment, half_life: float) -> float:
    if PATIENCE * half_life >= DAY.total_seconds():
        raise UnitsError(
            f"{name(MOMENT)} is missing, and a tracer with a half-life of {half_life:g} s may have "
            "been given days before"
        )
    given = datetime.combine(anchor.at.date(), stamp.time, anchor.at.tzinfo)
    seconds = (anchor.at - given).total_seconds()
    if seconds < 0 and not _can_be(reading, seconds, half_life):
        seconds = (anchor.at - given + DAY).total_seconds()
        if not _can_be(reading, seconds, half_life):
            raise UnitsError(_impossible(TIME, given, anchor.at, seconds - DAY.total_seconds()))
        reading.note("the injection was on the day before the scan: midnight lies between")
    elif not _can_be(reading, seconds, half_life):
        raise UnitsError(_impossible(TIME, given, anchor.at, seconds))
    _note_grain(reading, TIME, stamp.grain, half_life)
    reading.step(f"injection: {TIME}")
    return seconds


def _can_be(reading: Reading, seconds: float, half_life: float) -> bool:
    dynamic = any("DYNAMIC" in parts for parts in reading.texts("SeriesType"))
    return (-BEFORE_INJECTION if dynamic else 0.0) <= seconds <= PATIENCE * half_life


def _impossible(keyword: str, given: datetime, anchor: datetime, seconds: float) -> str:
    wait = timedelta(seconds=abs(seconds))
    order = f"{wait} after" if seconds < 0 else f"{wait} before"
    return (
        f"{name(keyword)} {given:%Y-%m-%d %H:%M:%S} is {order} {anchor:%Y-%m-%d %H:%M:%S}, to "
        "which values are decay corrected; that cannot be"
    )


def _note_grain(reading: Reading, keyword: str, grain: float, half_life: float) -> None:
    if grain:
        share = 2 ** (grain / half_life) - 1
        reading.note(
            f"{name(keyword)} is stated to the {'hour' if grain > 60 else 'minute'}: the factor "
            f"may be {share:.1%} higher"
        )
