"""The clock: which moment counts, and how long before it the tracer was given."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from pydicom.dataset import Dataset

from mmmed.errors import UnitsError
from mmmed.readers.silence import silent
from mmmed.readers.suv.decision import derive
from mmmed.readers.suv.derivation import Derivation

Build = Callable[..., list[Dataset]]
START = "RadiopharmaceuticalStartDateTime"
TIME = "RadiopharmaceuticalStartTime"


def _elapsed(found: Derivation) -> float:
    return found.terms["elapsed_s"]


def _refusal(headers: list[Dataset]) -> str:
    with pytest.raises(UnitsError) as refused:
        derive(headers)
    return str(refused.value)


def test_a_series_time_later_than_the_earliest_acquisition_gives_way_to_it_and_says_so(
    build: Build,
) -> None:
    times = ["110900", "110600", "110300", "110500", "111200", "111500"]
    found = derive(build(SeriesTime="150000", each_AcquisitionTime=times))
    assert _elapsed(found) == 91 * 60
    assert "anchor: earliest AcquisitionTime" in found.path
    assert any("earliest AcquisitionTime (0008,0032) 11:03:00" in note for note in found.notes)


def test_a_series_dated_days_later_gives_way_to_the_acquisition_and_both_dates_are_said(
    build: Build,
) -> None:
    found = derive(build(SeriesDate="20240302", SeriesTime="080000"))
    assert _elapsed(found) == 5316
    said = " ".join(found.notes)
    assert "2024-03-02 08:00:00 is later than the earliest" in said
    assert "2024-02-29 11:00:36, which counts" in said


def test_parts_of_a_second_count_and_are_told(build: Build) -> None:
    found = derive(build(SeriesTime="110036.75", AcquisitionTime="110036.25"))
    assert _elapsed(found) == 5316.25
    said = " ".join(found.notes)
    assert "11:00:36.750000 is later than the earliest" in said
    assert "11:00:36.250000, which counts" in said


def test_beds_acquired_one_after_the_other_share_the_time_of_the_series(build: Build) -> None:
    times = ["110036", "110036", "110336", "110336", "110636", "110636"]
    found = derive(build(each_AcquisitionTime=times))
    assert _elapsed(found) == 5316
    assert found.notes == derive(build()).notes


def test_a_series_time_long_before_the_first_acquisition_counts_and_is_noted(build: Build) -> None:
    found = derive(build(AcquisitionTime="112836"))
    assert _elapsed(found) == 5316
    assert any("0:28:00 after SeriesTime" in note for note in found.notes)


def test_an_acquisition_after_midnight_is_later_than_its_series(build: Build) -> None:
    found = derive(
        build(
            SeriesTime="235950",
            AcquisitionDate="20240301",
            AcquisitionTime="000010",
            RadiopharmaceuticalStartTime="225950",
        )
    )
    assert _elapsed(found) == 3600


def test_an_acquisition_without_a_date_is_the_one_nearest_to_its_series(build: Build) -> None:
    found = derive(
        build(
            SeriesTime="235950",
            AcquisitionDate=None,
            AcquisitionTime="000010",
            RadiopharmaceuticalStartTime="225950",
        )
    )
    assert _elapsed(found) == 3600


def test_an_injection_before_midnight_was_on_the_day_before_and_that_is_said(build: Build) -> None:
    found = derive(
        build(SeriesTime="003000", AcquisitionTime="003000", RadiopharmaceuticalStartTime="233000")
    )
    assert _elapsed(found) == 3600
    assert any("midnight" in note for note in found.notes)


def test_a_stated_date_of_injection_crosses_midnight_by_itself(build: Build) -> None:
    found = derive(
        build(
            SeriesTime="003000",
            AcquisitionTime="003000",
            **{TIME: None, START: "20240228233000.000000"},
        )
    )
    assert _elapsed(found) == 3600
    assert f"injection: {START}" in found.path


@pytest.mark.parametrize(
    ("stated", "seconds"),
    [
        ("0932", 5316),
        ("09", 7236),
        ("093200.5", 5315.5),
        ("093200.123456", 5315.876544),
        ("09:32:00", 5316),
        ("093200 ", 5316),
        ("093160", 5317),
    ],
)
def test_every_form_of_a_time_of_day_is_read(stated: str, seconds: float, build: Build) -> None:
    headers = build(RadiopharmaceuticalStartTime=None)
    for header in headers:
        item = header.RadiopharmaceuticalInformationSequence[0]
        item.add_new(TIME, "LO", stated)
    assert _elapsed(derive(headers)) == pytest.approx(seconds, abs=1e-6)


@pytest.mark.parametrize(("stated", "share"), [("0932", "0.6%"), ("09", "46.0%")])
def test_a_time_that_leaves_minutes_open_states_how_far_off_the_factor_may_be(
    stated: str, share: str, build: Build
) -> None:
    found = derive(build(RadiopharmaceuticalStartTime=stated))
    assert any(share in note for note in found.notes)


@pytest.mark.parametrize("stated", ["2500", "abc", "9:3", "0932x"])
def test_what_is_no_time_of_day_is_refused_with_its_tag(stated: str, build: Build) -> None:
    headers = build(RadiopharmaceuticalStartTime=None)
    for header in headers:
        item = header.RadiopharmaceuticalInformationSequence[0]
        item.add_new(TIME, "LO", stated)
    refusal = _refusal(headers)
    assert "RadiopharmaceuticalStartTime (0018,1072)" in refusal
    assert repr(stated) in refusal


@pytest.mark.parametrize("stated", ["2024", "202402", "20240229", "20241329093200", "yesterday"])
def test_a_date_without_a_time_of_day_is_refused(stated: str, build: Build) -> None:
    headers = build(RadiopharmaceuticalStartTime=None)
    for header in headers:
        item = header.RadiopharmaceuticalInformationSequence[0]
        item.add_new(START, "LO", stated)
    assert "RadiopharmaceuticalStartDateTime (0018,1078)" in _refusal(headers)


def test_a_date_time_with_an_offset_is_brought_to_the_zone_of_the_series(build: Build) -> None:
    found = derive(
        build(**{TIME: None, START: "20240229083200.25+0000"}, TimezoneOffsetFromUTC="+0100")
    )
    assert _elapsed(found) == pytest.approx(5315.75)


def test_an_offset_that_nothing_else_states_is_refused_with_the_tag_of_the_zone(
    build: Build,
) -> None:
    refusal = _refusal(build(**{TIME: None, START: "20240229083200+0000"}))
    assert "TimezoneOffsetFromUTC (0008,0201) is missing" in refusal


def test_an_offset_is_of_the_clock_of_the_series_where_the_time_of_day_agrees(
    build: Build,
) -> None:
    found = derive(build(**{START: "20240229093200+0100"}))
    assert _elapsed(found) == 5316


@pytest.mark.parametrize("zone", ["0100", "+1", "+01:00", "+9900"])
def test_what_is_no_offset_is_refused(zone: str, build: Build) -> None:
    headers = build(**{TIME: None, START: "20240229083200+0000"})
    for header in headers:
        header.add_new("TimezoneOffsetFromUTC", "LO", zone)
    assert "TimezoneOffsetFromUTC (0008,0201)" in _refusal(headers)


def test_two_statements_of_the_injection_that_contradict_each_other_are_refused(
    build: Build,
) -> None:
    refusal = _refusal(build(**{START: "20240229094700", TIME: "093200"}))
    assert "09:47:00" in refusal
    assert "09:32:00" in refusal


def test_a_date_that_is_not_of_the_scan_is_set_aside_where_the_time_of_day_is_stated_twice(
    build: Build,
) -> None:
    found = derive(build(**{START: "20010101093200"}))
    assert _elapsed(found) == 5316
    assert any("does not belong to the day" in note for note in found.notes)


def test_a_date_that_is_not_of_the_scan_is_refused_where_it_stands_alone(build: Build) -> None:
    assert "cannot be" in _refusal(build(**{START: "20010101093200", TIME: None}))


@pytest.mark.parametrize("injected", ["110100", "1400", "210000"])
def test_an_injection_after_the_start_of_a_static_scan_is_refused(
    injected: str, build: Build
) -> None:
    assert "after 2024-02-29 11:00:36" in _refusal(build(RadiopharmaceuticalStartTime=injected))


def test_a_dynamic_scan_may_begin_shortly_before_the_injection(build: Build) -> None:
    found = derive(build(SeriesType=["DYNAMIC", "IMAGE"], RadiopharmaceuticalStartTime="110106"))
    assert _elapsed(found) == -30
    assert found.factor == pytest.approx(90e3 / (474592928 * 2 ** (30 / 6588)))


def test_a_long_lived_tracer_needs_the_date_of_its_injection(build: Build) -> None:
    zirconium = {"RadionuclideHalfLife": "282276", "RadionuclideTotalDose": "37000000"}
    assert "RadiopharmaceuticalStartDateTime (0018,1078) is missing" in _refusal(build(**zirconium))
    found = derive(build(**zirconium, **{TIME: None, START: "20240225093200"}))
    assert _elapsed(found) == 4 * 86400 + 5316


def test_a_missing_acquisition_time_is_noted(build: Build) -> None:
    found = derive(build(AcquisitionTime=None))
    assert _elapsed(found) == 5316
    assert any("AcquisitionTime (0008,0032) is missing" in note for note in found.notes)


@pytest.mark.parametrize(
    ("creator", "group", "element"),
    [("GEMS_PETD_01", 0x0009, 0x100D), ("SIEMENS MED PT", 0x0071, 0x1022)],
)
def test_the_moment_that_the_vendor_states_in_private_counts(
    creator: str, group: int, element: int, build: Build
) -> None:
    headers = build(SeriesTime="150000", AcquisitionTime="110336")
    for header in headers:
        header.add_new((group, 0x10), "LO", creator)
        header.add_new((group, element), "DT", "20240229110036.00")
    found = derive(headers)
    assert _elapsed(found) == 5316
    assert any("counts, not earliest AcquisitionTime" in note for note in found.notes)


def test_a_private_moment_that_agrees_changes_nothing(build: Build) -> None:
    headers = build()
    for header in headers:
        header.add_new((0x0009, 0x10), "LO", "GEMS_PETD_01")
        header.add_new((0x0009, 0x100D), "DT", "20240229110036.00")
    assert derive(headers).path == derive(build()).path


def test_an_acquisition_date_time_counts_only_where_no_time_is_stated(build: Build) -> None:
    shifted = build(AcquisitionDateTime="19990101110036")
    alone = build(SeriesTime="150000", AcquisitionTime=None, AcquisitionDateTime="20240229110036")
    assert _elapsed(derive(shifted)) == 5316
    assert _elapsed(derive(alone)) == 5316


def test_a_private_moment_of_another_day_is_left_aside(build: Build) -> None:
    headers = build()
    for header in headers:
        header.add_new((0x0009, 0x10), "LO", "GEMS_PETD_01")
        header.add_new((0x0009, 0x100D), "DT", "19990101110036.00")
    found = derive(headers)
    assert _elapsed(found) == 5316
    assert any("left aside" in note for note in found.notes)


@pytest.mark.parametrize(
    ("changed", "fits"),
    [
        ({"RadionuclideHalfLife": "6586.2"}, True),
        ({"RadionuclideHalfLife": "6645"}, True),
        ({"RadionuclideHalfLife": "6700"}, False),
        ({"RadionuclideHalfLife": "109.8"}, False),
        ({"RadionuclideHalfLife": "4062"}, False),
    ],
)
def test_a_half_life_may_differ_by_one_percent_from_that_of_the_radionuclide(
    changed: dict[str, Any], fits: bool, build: Build
) -> None:
    headers = build(**changed)
    for header in headers:
        code = Dataset()
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "C-111A1", "SRT", "tracer"
        header.RadiopharmaceuticalInformationSequence[0].RadionuclideCodeSequence = [code]
    if fits:
        assert derive(headers).factor > 0
        return
    refusal = _refusal(headers)
    assert f"RadionuclideHalfLife (0018,1075) is {float(changed['RadionuclideHalfLife']):g}" in (
        refusal
    )
    assert "18F" in refusal


def test_a_half_life_in_minutes_fits_no_radionuclide(build: Build) -> None:
    assert "no radionuclide of PET" in _refusal(build(RadionuclideHalfLife="109.8"))


def test_a_half_life_of_another_radionuclide_counts_where_none_is_named(build: Build) -> None:
    found = derive(build(RadionuclideHalfLife="4062.6"))
    assert any("68Ga" in note for note in found.notes)


@pytest.mark.parametrize(
    "said",
    [
        {START: "000101010000+2359"},
        {START: "99991231230000-2359"},
        {"SeriesDate": "00010101", "SeriesTime": "000000", "AcquisitionDate": None},
        {"SeriesDate": "99991231", "SeriesTime": "235959", "AcquisitionDate": None},
        {"SeriesDate": "00010101", "AcquisitionDate": "99991231"},
        {"AcquisitionTime": None, "AcquisitionDateTime": "00010101000000+2359"},
        {"DecayCorrection": None, "DecayCorrectionDateTime": "000101010000+2359"},
    ],
)
@pytest.mark.parametrize("zone", ["-2359", "+2359", "+0000", None])
def test_moments_at_the_ends_of_the_calendar_are_refused_by_name_or_counted(
    build: Build, said: dict[str, Any], zone: str | None
) -> None:
    with silent():
        headers = build(**{"TimezoneOffsetFromUTC": zone, **said})
    assert _outcome(headers)


def _outcome(headers: list[Dataset]) -> bool:
    """Whether there is a factor, or a refusal in words."""
    try:
        factor = derive(headers).factor
    except UnitsError as error:
        return str(error).startswith("SUV cannot be computed: ")
    return factor > 0 and math.isfinite(factor)
