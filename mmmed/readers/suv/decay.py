"""To which moment values are decay corrected, and so how long the dose has decayed until then.

ADMIN    the injection: the dose counts as it was given
START    one moment for the whole series (DICOM PS3.3 C.8.9.1.1.5, C.8.9.4.1.5): the series' date
         and time; where these are later than the earliest acquisition, as after a reconstruction,
         the earliest acquisition; where the vendor states the moment in a private element, that
enhanced the moment stated by Decay Correction DateTime (0018,9701), C.8.22.6
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from mmmed.errors import UnitsError
from mmmed.readers.suv.clock import (
    DAY,
    Moment,
    in_zone,
    nearest,
    read_date,
    read_moment,
    read_time,
    read_zone,
    seconds_between,
)
from mmmed.readers.suv.element import missing, name
from mmmed.readers.suv.fault import together
from mmmed.readers.suv.injection import ZONE, elapsed
from mmmed.readers.suv.nuclide import check_half_life, half_life
from mmmed.readers.suv.reading import Reading

CORRECTION, CORRECTED_TO = "DecayCorrection", "DecayCorrectionDateTime"
PRIVATE = (
    ("GEMS_PETD_01", 0x0009, 0x0D, "GE scan datetime"),
    ("SIEMENS MED PT", 0x0071, 0x22, "Siemens decay correction datetime"),
)
"""Private elements that state the moment of START: creator, group, element, what it is."""

_SAME = 1.0
"""Seconds by which two statements of one moment may differ."""

_LATE = 300.0
"""Seconds from the series' time to the first acquisition that are worth a note."""


def decay_terms(reading: Reading) -> dict[str, float]:
    """`elapsed_s` and `half_life_s`; empty where the dose counts as it was given.

    Raises:
        UnitsError: values are not decay corrected, or to a moment that cannot be known.
    """
    correction = reading.text(CORRECTION)
    if correction is None and reading.text(CORRECTED_TO) is None:
        raise missing(CORRECTION, CORRECTED_TO)
    if correction == "ADMIN":
        check_half_life(reading)
        reading.step("decay: ADMIN")
        return {}
    if correction not in (None, "START"):
        raise UnitsError(f"{name(CORRECTION)} is {correction}; START and ADMIN can be used")
    reading.step("decay: START" if correction else f"decay: {CORRECTED_TO}")

    def wait() -> float:
        anchor = _start(reading) if correction else _enhanced(reading)
        return elapsed(reading, anchor, half_life=half_life(reading))

    half, seconds = together(lambda: half_life(reading), wait)
    return {"elapsed_s": seconds, "half_life_s": half}


def check_decay_corrected(reading: Reading) -> None:
    """Refuse values that say that they are not decay corrected.

    Raises:
        UnitsError: they do.
    """
    if reading.text(CORRECTION) == "NONE":
        raise UnitsError(f"{name(CORRECTION)} is NONE; START and ADMIN can be used")


def _enhanced(reading: Reading) -> Moment:
    return read_moment(CORRECTED_TO, reading.text(CORRECTED_TO) or "")


def _start(reading: Reading) -> Moment:
    """The moment of START: by the standard's attributes, unless the vendor states another one."""
    series = _series(reading)
    label, moment = _by_standard(reading, series)
    stated = _private(reading, near=series.at)
    if stated is not None and abs((stated[1].at - moment.at).total_seconds()) > _SAME:
        reading.note(
            f"{stated[0]} {stated[1].at:%H:%M:%S} counts, not {label} {moment.at:%H:%M:%S}"
        )
        label, moment = stated
    reading.step(f"anchor: {label}")
    return moment


def _by_standard(reading: Reading, series: Moment) -> tuple[str, Moment]:
    """The series' time, or the earliest acquisition where that is before it."""
    acquired = acquisitions(reading, near=series.at)
    if not acquired:
        reading.note(f"{name('AcquisitionTime')} is missing: SeriesTime is taken as the start")
        return "SeriesTime", series
    first = min(acquired)
    late = (first - series.at).total_seconds()
    if late < 0:
        reading.note(
            f"{name('SeriesTime')} {_shown(series.at, first)} is later than the earliest "
            f"{name('AcquisitionTime')} {_shown(first, series.at)}, which counts"
        )
        return "earliest AcquisitionTime", Moment(first, 0.0)
    if late > _LATE:
        reading.note(f"the first acquisition is {timedelta(seconds=late)} after SeriesTime")
    return "SeriesTime", series


def _shown(at: datetime, other: datetime) -> str:
    """A moment as finely as it takes to tell it from another: date, or parts of a second."""
    if at.date() != other.date():
        return f"{at:%Y-%m-%d %H:%M:%S}"
    apart = at.replace(microsecond=0) != other.replace(microsecond=0)
    return f"{at:%H:%M:%S}" if apart else f"{at:%H:%M:%S.%f}"


def _series(reading: Reading) -> Moment:
    text = reading.text("SeriesTime")
    if not text:
        raise missing("SeriesTime")
    stamp = read_time("SeriesTime", text)
    return Moment(datetime.combine(_day(reading), stamp.time), stamp.grain)


def _day(reading: Reading) -> date:
    text = reading.text("SeriesDate")
    if text:
        return read_date("SeriesDate", text)
    raise missing("SeriesDate")


def acquisitions(reading: Reading, *, near: datetime | None = None) -> list[datetime]:
    """When the acquisitions of the slices started, on the clock of the series.

    Args:
        reading: of the series.
        near: places those acquisitions that state a time without a date, within half a day; without
            it they are left on one day.
    """
    found = []
    for hour, day in reading.rows("AcquisitionTime", "AcquisitionDate"):
        stamp = read_time("AcquisitionTime", hour or "")
        if day:
            found.append(datetime.combine(read_date("AcquisitionDate", day), stamp.time))
        else:
            other = near or datetime(2000, 1, 1, 12)  # noqa: DTZ001 - any day
            found.append(nearest(datetime.combine(other.date(), stamp.time), other))
    for keyword in ("AcquisitionDateTime", "FrameAcquisitionDateTime"):
        if not found:
            stated = {text for (text,) in reading.rows(keyword) if text}
            found = [_on_clock(reading, keyword, text) for text in stated]
    return found


def _on_clock(reading: Reading, keyword: str, text: str) -> datetime:
    """A DT as the series' clock shows it; without a zone its own clock is taken for that."""
    at = read_moment(keyword, text).at
    zone = reading.text(ZONE)
    if at.tzinfo is not None and zone:
        at = in_zone(at, read_zone(ZONE, zone))
    return at.replace(tzinfo=None)


def _private(reading: Reading, *, near: datetime) -> tuple[str, Moment] | None:
    """The moment that the vendor states, with its label, where it is one and of that day."""
    for creator, group, element, label in PRIVATE:
        texts = reading.private(creator, group, element, label=label)
        if len(texts) != 1:
            continue
        try:
            moment = read_moment(CORRECTED_TO, texts[0])
        except UnitsError:
            continue
        apart = seconds_between(moment.at.replace(tzinfo=None), near, zone=None)
        if apart is not None and abs(apart) < DAY.total_seconds():
            return label, Moment(moment.at.replace(tzinfo=None), moment.grain)
        reading.note(f"{label} {moment.at:%Y-%m-%d} is not of the day of the series; left aside")
    return None
