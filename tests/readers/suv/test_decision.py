"""The decision tree: every way to SUVbw, and every refusal with the tags at fault.

Expected factors are worked out by hand: weight in g / (dose x 2^-(seconds / half-life)).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from mmmed.errors import UnitsError
from mmmed.readers.suv.decision import derive, derive_relative
from mmmed.readers.suv.derivation import Derivation

Build = Callable[..., list[Dataset]]
BY_HAND = 3.3176370742e-4
"""90000 g / (474592928 Bq x 2^(-5316/6588))."""


def _said(decide: Callable[[list[Dataset]], Derivation], header: Dataset) -> str:
    """The factor, or the refusal."""
    try:
        return str(decide([header]).factor)
    except UnitsError as error:
        return str(error)


def _refusal(headers: list[Dataset]) -> str:
    with pytest.raises(UnitsError) as refused:
        derive(headers)
    text = str(refused.value)
    assert len(text.splitlines()) == 1
    return text


def test_start_decays_the_dose_to_the_series_time(build: Build) -> None:
    found = derive(build())
    assert found.unit == "SUVbw"
    assert found.factor == pytest.approx(BY_HAND, rel=1e-10)
    assert found.path == (
        "unit: BQML",
        "decay: START",
        "anchor: SeriesTime",
        "injection: RadiopharmaceuticalStartTime",
    )


def test_admin_takes_the_dose_as_it_was_given_and_needs_no_time(build: Build) -> None:
    headers = build(
        DecayCorrection="ADMIN", RadiopharmaceuticalStartTime=None, RadionuclideHalfLife=None
    )
    assert derive(headers).factor == pytest.approx(90000 / 474592928, rel=1e-12)


def test_an_auditor_can_compute_the_factor_again_from_the_record(build: Build) -> None:
    found = derive(build())
    again = eval(found.formula, {"__builtins__": {}}, dict(found.terms))
    assert again == pytest.approx(found.factor, rel=1e-12)


def test_the_record_survives_json(build: Build) -> None:
    found = derive(build())
    assert Derivation.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_the_record_names_every_value_that_was_looked_at(build: Build) -> None:
    stated = {one.tag: one.value for one in derive(build()).evidence}
    assert stated["(0054,1001)"] == "BQML"
    assert stated["(0018,1074)"] == "474592928"
    assert stated["(0008,0031)"] == "110036.00"
    assert stated["(0010,1030)"] == "90"


@given(
    weight=st.floats(1, 400),
    dose=st.floats(1e6, 1e10),
    half_life=st.floats(6525, 6645),
    seconds=st.integers(0, 40_000),
    start=st.datetimes(datetime(2000, 1, 2), datetime(2030, 1, 1)),  # noqa: DTZ001 - the scanner's
)
def test_the_factor_is_that_of_the_formula_over_all_days_and_midnights(
    weight: float, dose: float, half_life: float, seconds: int, start: datetime
) -> None:
    start = start.replace(microsecond=0)
    injected = start - timedelta(seconds=seconds)
    header, isotope = Dataset(), Dataset()
    header.Units, header.DecayCorrection, header.CorrectedImage = "BQML", "START", ["ATTN", "DECY"]
    header.SeriesDate = header.AcquisitionDate = start.strftime("%Y%m%d")
    header.SeriesTime = header.AcquisitionTime = start.strftime("%H%M%S")
    header.PatientWeight = f"{weight:.10g}"
    isotope.RadionuclideTotalDose = f"{dose:.10g}"
    isotope.RadionuclideHalfLife = f"{half_life:.10g}"
    isotope.RadiopharmaceuticalStartTime = injected.strftime("%H%M%S")
    header.RadiopharmaceuticalInformationSequence = [isotope]
    left = float(f"{dose:.10g}") * 0.5 ** (seconds / float(f"{half_life:.10g}"))
    assert derive([header]).factor == pytest.approx(
        float(f"{weight:.10g}") * 1000 / left, rel=1e-12
    )


@pytest.mark.parametrize("suv_type", [None, "BW", ""])
def test_gml_is_suv_of_body_weight_already_and_is_never_scaled(
    suv_type: str | None, build: Build
) -> None:
    bare = build(
        Units="GML",
        SUVType=suv_type,
        PatientWeight=None,
        RadionuclideTotalDose=None,
        RadionuclideHalfLife=None,
    )
    assert derive(bare).factor == 1.0


def test_a_dose_in_doubt_is_noted_where_values_are_suv_without_it(build: Build) -> None:
    found = derive(build(Units="GML", RadionuclideTotalDose="370", RadionuclideHalfLife="110"))
    assert found.factor == 1.0
    assert sum("in doubt" in note for note in found.notes) == 2


@pytest.mark.parametrize(
    ("suv_type", "sex", "kilograms"),
    [
        ("LBM", "M", 1.10 * 90 - 120 * (90 / 180) ** 2),
        ("LBM", "F", 1.07 * 90 - 148 * (90 / 180) ** 2),
        ("LBMJAMES128", "M", 1.10 * 90 - 128 * (90 / 180) ** 2),
        ("LBMJANMA", "M", 9270 * 90 / (6680 + 216 * 90 / 1.8**2)),
        ("LBMJANMA", "F", 9270 * 90 / (8780 + 244 * 90 / 1.8**2)),
        ("IBW", "M", 48.0 + 1.06 * 28),
        ("IBW", "F", 45.5 + 0.91 * 28),
    ],
)
def test_suv_of_another_type_is_converted_where_height_and_sex_allow_it(
    suv_type: str, sex: str, kilograms: float, build: Build
) -> None:
    found = derive(build(Units="GML", SUVType=suv_type, PatientSex=sex))
    assert found.factor == pytest.approx(90 / kilograms, rel=1e-12)
    assert any(suv_type in note for note in found.notes)


def test_suv_of_the_body_surface_is_converted_without_a_sex(build: Build) -> None:
    square_cm = 0.007184 * 90**0.425 * 180**0.725 * 1e4
    found = derive(build(Units="CM2ML", SUVType=None, PatientSex=None))
    assert found.factor == pytest.approx(90e3 / square_cm, rel=1e-12)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        (
            {"SUVType": "LBM", "PatientSize": None, "PatientSex": None, "PatientWeight": None},
            ["(0010,1020) is missing", "(0010,0040) is missing", "(0010,1030) is missing"],
        ),
        ({"SUVType": "LBM", "PatientSex": "O"}, ["PatientSex (0010,0040) is O"]),
        ({"SUVType": "IBW", "PatientSex": None}, ["PatientSex (0010,0040) is missing"]),
        ({"SUVType": "LBM", "PatientSize": "180"}, ["PatientSize (0010,1020) is 180"]),
        ({"SUVType": "LEAN"}, ["SUVType (0054,1006) is LEAN"]),
        ({"SUVType": "BSA"}, ["SUVType (0054,1006) is BSA", "GML", "contradict"]),
        ({"Units": "CM2ML", "SUVType": "BW"}, ["BW", "CM2ML", "contradict"]),
        ({"Units": "CM2ML", "PatientSize": None}, ["PatientSize (0010,1020) is missing"]),
        ({"SUVType": "LBM", "PatientSex": "F", "PatientSize": "1", "PatientWeight": "300"}, ["kg"]),
    ],
)
def test_suv_of_another_type_is_refused_where_they_do_not(
    changed: dict[str, Any], named: list[str], build: Build
) -> None:
    refusal = _refusal(build(**{"Units": "GML", **changed}))
    assert all(text in refusal for text in named)


@pytest.mark.parametrize("unit", ["PROPCPS", "NONE", "CPS", "1CM", "MLMING", "STDDEV", "FURLONG"])
def test_units_without_a_way_to_suv_are_refused_by_name(unit: str, build: Build) -> None:
    assert f"Units (0054,1001) is {unit}" in _refusal(build(Units=unit))


def test_missing_units_are_refused(build: Build) -> None:
    assert "Units (0054,1001)" in _refusal(build(Units=None))


def test_units_that_differ_over_the_slices_are_refused_with_counts(build: Build) -> None:
    refusal = _refusal(build(each_Units=["BQML"] * 4 + ["CNTS"] * 2))
    assert "Units (0054,1001) differs within the series: BQML (4), CNTS (2)" in refusal


def test_counts_use_the_suv_factor_of_philips_as_it_is(
    build: Build, philips: Callable[..., None]
) -> None:
    headers = build(Units="CNTS", PatientWeight=None, RadionuclideTotalDose=None)
    philips(headers, suv="0.000728")
    found = derive(headers)
    assert found.factor == 0.000728
    assert ("(7053,xx00)", "0.000728") in {(one.tag, one.value) for one in found.evidence}


def test_counts_without_the_suv_factor_use_the_activity_factor_and_the_dose(
    build: Build, philips: Callable[..., None]
) -> None:
    headers = build(Units="CNTS")
    philips(headers, suv="0.0", activity="4.5", block=0x12)
    found = derive(headers)
    assert found.factor == pytest.approx(4.5 * BY_HAND, rel=1e-10)
    assert eval(found.formula, {"__builtins__": {}}, dict(found.terms)) == pytest.approx(
        found.factor
    )


def test_of_both_philips_factors_the_one_of_suv_counts_and_a_contradiction_is_noted(
    build: Build, philips: Callable[..., None]
) -> None:
    agreeing, contrary = build(Units="CNTS"), build(Units="CNTS")
    philips(agreeing, suv=f"{4.5 * BY_HAND:.6g}", activity="4.5")
    philips(contrary, suv="0.01", activity="4.5")
    assert not any("7053" in note for note in derive(agreeing).notes)
    assert derive(contrary).factor == 0.01
    assert any("(7053,1009)" in note for note in derive(contrary).notes)


def test_counts_with_neither_factor_are_refused_with_both_tags(build: Build) -> None:
    refusal = _refusal(build(Units="CNTS"))
    assert "(7053,1000)" in refusal
    assert "(7053,1009)" in refusal


def test_a_philips_factor_in_a_block_of_another_owner_is_none(build: Build) -> None:
    headers = build(Units="CNTS")
    for header in headers:
        header.add_new((0x7053, 0x10), "LO", "SOMEBODY ELSE")
        header.add_new((0x7053, 0x1000), "DS", "0.5")
    assert "(7053,1000)" in _refusal(headers)


def test_everything_that_is_missing_is_listed_at_once(build: Build) -> None:
    refusal = _refusal(
        build(
            PatientWeight=None,
            RadionuclideTotalDose=None,
            RadionuclideHalfLife=None,
            RadiopharmaceuticalStartTime=None,
            SeriesTime=None,
            CorrectedImage=None,
        )
    )
    for tag in ("0010,1030", "0018,1074", "0018,1075", "0008,0031", "0028,0051"):
        assert f"({tag})" in refusal


@pytest.mark.parametrize(
    ("keyword", "tag"),
    [
        ("PatientWeight", "0010,1030"),
        ("RadionuclideTotalDose", "0018,1074"),
        ("RadionuclideHalfLife", "0018,1075"),
        ("RadiopharmaceuticalStartTime", "0018,1078"),
        ("SeriesTime", "0008,0031"),
        ("SeriesDate", "0008,0021"),
        ("DecayCorrection", "0054,1102"),
        ("CorrectedImage", "0028,0051"),
    ],
)
def test_each_missing_value_is_refused_by_its_tag(keyword: str, tag: str, build: Build) -> None:
    assert f"({tag})" in _refusal(build(**{keyword: None}))
    assert f"({tag})" in _refusal(build(**{keyword: ""}))


@pytest.mark.parametrize("dose", ["474.592928", "0", "-3", "999999", "1.1e10", "370 MBq", "nan"])
def test_an_impossible_dose_is_refused_with_its_value(dose: str, build: Build) -> None:
    headers = build(RadionuclideTotalDose=None)
    for header in headers:
        item = header.RadiopharmaceuticalInformationSequence[0]
        item.add_new("RadionuclideTotalDose", "LO", dose)
    refusal = _refusal(headers)
    assert "RadionuclideTotalDose (0018,1074) is" in refusal
    assert dose.split("e")[0][:4] in refusal


def test_a_dose_in_megabecquerels_by_mistake_is_called_so(build: Build) -> None:
    assert "as if in MBq" in _refusal(build(RadionuclideTotalDose="370"))


@pytest.mark.parametrize("weight", ["0", "900", "7000", "70000", "-70", "0.07"])
def test_an_impossible_weight_is_refused_with_its_value(weight: str, build: Build) -> None:
    assert f"PatientWeight (0010,1030) is {float(weight):g}" in _refusal(
        build(PatientWeight=weight)
    )


def test_values_that_must_be_one_are_refused_where_slices_differ(build: Build) -> None:
    refusal = _refusal(build(each_PatientWeight=["90"] * 3 + ["70"] * 3))
    assert "PatientWeight (0010,1030) differs" in refusal


def test_the_same_number_spelled_differently_is_one(build: Build) -> None:
    headers = build(each_PatientWeight=["90", "90.0", "9e1", "90", "90", "90"])
    assert derive(headers).factor == pytest.approx(BY_HAND, rel=1e-10)


@pytest.mark.parametrize(
    ("corrections", "lacking"),
    [(["DECY", "SCAT"], "ATTN"), (["ATTN"], "DECY"), ("NORM", "DECY")],
)
@pytest.mark.parametrize("unit", ["BQML", "GML"])
def test_an_uncorrected_image_is_refused_in_every_unit(
    corrections: Any, lacking: str, unit: str, build: Build
) -> None:
    refusal = _refusal(build(CorrectedImage=corrections, Units=unit))
    assert f"CorrectedImage (0028,0051) lacks {lacking}" in refusal


@pytest.mark.parametrize("unit", ["BQML", "GML", "CNTS"])
def test_values_that_are_not_decay_corrected_are_refused(unit: str, build: Build) -> None:
    assert "DecayCorrection (0054,1102) is NONE" in _refusal(
        build(DecayCorrection="NONE", Units=unit)
    )


def test_a_damaged_sequence_is_as_if_it_were_not_there(build: Build) -> None:
    headers = build()
    for header in headers:
        del header.RadiopharmaceuticalInformationSequence
        header.add_new((0x0018, 0x0036), "SQ", [])
        header.add_new((0x0054, 0x0016), "LO", "no sequence")
    assert "(0018,1074)" in _refusal(headers)


@given(places=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=30))
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None
)
@pytest.mark.filterwarnings("ignore")  # of pydicom, over the damaged file as it is read
def test_a_damaged_header_is_a_factor_or_one_line(
    places: list[tuple[int, int]], build: Build
) -> None:
    stream = BytesIO()
    pydicom.dcmwrite(stream, build()[0], implicit_vr=False, little_endian=True)
    damaged = bytearray(stream.getvalue())
    for place, value in places:
        damaged[place % len(damaged)] = value
    try:
        header = pydicom.dcmread(BytesIO(bytes(damaged)), force=True)
    except Exception:  # noqa: BLE001 - pydicom's own reading is not what is tested
        return
    for decide in (derive, derive_relative):
        assert _said(decide, header).count("\n") == 0


def test_several_radiopharmaceuticals_are_refused(build: Build) -> None:
    headers = build()
    for header in headers:
        header.RadiopharmaceuticalInformationSequence.append(Dataset())
    assert "2 radiopharmaceuticals" in _refusal(headers)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"Modality": "NM"}, "Modality (0008,0060) is NM"),
        ({"CountsSource": "TRANSMISSION"}, "CountsSource (0054,1002)"),
        ({"SeriesType": ["STATIC", "REPROJECTION"]}, "SeriesType (0054,1000)"),
    ],
)
def test_what_is_no_emission_image_is_refused(
    changed: dict[str, Any], named: str, build: Build
) -> None:
    assert named in _refusal(build(**changed))


def test_no_header_at_all_is_refused() -> None:
    assert "no header" in _refusal([])


def test_a_damaged_value_is_refused_and_shown_as_printable_text(build: Build) -> None:
    headers = build(PatientWeight=None)
    for header in headers:
        header.add_new("PatientWeight", "LO", "<b>\x00\n9 kg")
    assert "<b>??9 kg" in _refusal(headers)


def test_an_enhanced_header_states_the_dose_in_megabecquerels_and_its_own_anchor(
    enhanced: Callable[..., Dataset],
) -> None:
    assert derive([enhanced()]).factor == pytest.approx(BY_HAND, rel=1e-10)


def test_an_enhanced_header_that_states_becquerels_all_the_same_is_recognised_and_noted(
    enhanced: Callable[..., Dataset],
) -> None:
    header = enhanced()
    header.RadiopharmaceuticalInformationSequence[0].RadionuclideTotalDose = "474592928"
    found = derive([header])
    assert found.factor == pytest.approx(BY_HAND, rel=1e-10)
    assert any("MBq" in note for note in found.notes)


@pytest.mark.parametrize("code", ["g/ml{SUVbw}", "{SUVbw}g/mL"])
def test_an_enhanced_header_may_state_suv_in_its_mapping(
    code: str, enhanced: Callable[..., Dataset]
) -> None:
    assert derive([enhanced(code)]).factor == 1.0


def test_a_mapping_that_is_a_multiple_of_the_rescale_adds_that_factor(
    enhanced: Callable[..., Dataset],
) -> None:
    found = derive([enhanced(slopes=(6.0,) * 4)])
    assert found.factor == pytest.approx(3 * BY_HAND, rel=1e-10)


def test_a_mapping_that_changes_from_frame_to_frame_is_refused(
    enhanced: Callable[..., Dataset],
) -> None:
    assert "RealWorldValueMappingSequence" in _refusal([enhanced(slopes=(2.0, 2.0, 3.0, 2.0))])


def test_an_enhanced_header_may_state_the_isotope_in_its_functional_groups(
    enhanced: Callable[..., Dataset],
) -> None:
    header, shared, group = enhanced(), Dataset(), Dataset()
    group.RadiopharmaceuticalInformationSequence = header.RadiopharmaceuticalInformationSequence
    shared.UnassignedSharedConvertedAttributesSequence = [group]
    header.SharedFunctionalGroupsSequence = [shared]
    del header.RadiopharmaceuticalInformationSequence
    assert derive([header]).factor == pytest.approx(BY_HAND, rel=1e-10)


def test_an_enhanced_header_without_a_moment_of_decay_correction_names_both_ways(
    enhanced: Callable[..., Dataset],
) -> None:
    header = enhanced()
    del header.DecayCorrectionDateTime
    refusal = _refusal([header])
    assert (
        "DecayCorrection (0054,1102) or DecayCorrectionDateTime (0018,9701) is missing" in refusal
    )


def test_frames_of_a_dynamic_series_share_one_factor_of_its_start(build: Build) -> None:
    """START corrects every frame to the start of the first."""
    found = derive(
        build(
            SeriesType=["DYNAMIC", "IMAGE"],
            each_AcquisitionTime=["110036", "110036", "110536", "110536", "111036", "111036"],
            each_FrameReferenceTime=["150000", "150000", "450000", "450000", "750000", "750000"],
        )
    )
    assert found.factor == pytest.approx(BY_HAND, rel=1e-10)


@pytest.mark.parametrize("keyword", ["DecayCorrection", "SeriesTime", "RadionuclideTotalDose"])
def test_any_value_that_differs_within_the_series_is_refused_with_its_values(
    keyword: str, build: Build
) -> None:
    one, other = {
        "DecayCorrection": ("START", "ADMIN"),
        "SeriesTime": ("110036", "113036"),
        "RadionuclideTotalDose": ("474592928", "370000000"),
    }[keyword]
    refusal = _refusal(build(**{keyword: None, f"each_{keyword}": [one] * 4 + [other] * 2}))
    assert f"{keyword} (" in refusal
    assert f"{one} (4)" in refusal
    assert f"{other} (2)" in refusal


def test_a_philips_factor_counts_in_the_block_of_its_owner_alone(
    build: Build, philips: Callable[..., None]
) -> None:
    headers = build(Units="CNTS")
    philips(headers, block=0x10)
    philips(headers, suv="0.25", block=0x11)
    for header in headers:
        header.add_new((0x7053, 0x12), "LO", "SOMEBODY ELSE")
        header.add_new((0x7053, 0x1200), "DS", "0.5")
    assert derive(headers).factor == 0.25


def test_an_enhanced_image_without_corrections_is_refused(
    enhanced: Callable[..., Dataset],
) -> None:
    header = enhanced()
    header.AttenuationCorrected = "NO"
    assert "AttenuationCorrected (0018,9759) is NO" in _refusal([header])
    header.AttenuationCorrected, header.DecayCorrected = "YES", "NO"
    assert "DecayCorrected (0018,9758) is NO" in _refusal([header])


def test_a_legacy_converted_header_states_its_values_inside_the_functional_groups(
    build: Build,
) -> None:
    classic = build()
    whole, shared, group = Dataset(), Dataset(), Dataset()
    for element in classic[0]:
        if element.keyword not in ("AcquisitionTime", "SOPClassUID"):
            (group if element.keyword in ("Units", "DecayCorrection") else whole).add(element)
    shared.UnassignedSharedConvertedAttributesSequence = [group]
    whole.SharedFunctionalGroupsSequence = [shared]
    whole.PerFrameFunctionalGroupsSequence = []
    for one in classic:
        frame, attributes = Dataset(), Dataset()
        attributes.AcquisitionTime = one.AcquisitionTime
        frame.UnassignedPerFrameConvertedAttributesSequence = [attributes]
        whole.PerFrameFunctionalGroupsSequence.append(frame)
    found = derive([whole])
    assert found.factor == pytest.approx(BY_HAND, rel=1e-10)
    assert found.notes == derive(classic).notes


def test_a_scale_free_chain_accepts_one_linear_unit_and_says_relative(build: Build) -> None:
    headers = build(Units="CNTS", PatientWeight=None, RadionuclideTotalDose=None)
    found = derive_relative(headers)
    assert (found.unit, found.factor) == ("relative", 1.0)
    assert found.path[-1] == "relative"
    assert "(7053,1000)" in found.notes[0]


def test_a_scale_free_chain_still_gets_suv_where_it_can_be_derived(build: Build) -> None:
    assert derive_relative(build()) == derive(build())


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"Units": "STDDEV"}, "no linear unit"),
        ({"each_Units": ["BQML"] * 3 + ["CNTS"] * 3}, "Units (0054,1001) differs"),
        ({"CorrectedImage": ["DECY"], "PatientWeight": None}, "lacks ATTN"),
        (
            {
                "DecayCorrection": "NONE",
                "each_AcquisitionTime": ["1100", "1103", "1106", "1109", "1112", "1115"],
            },
            "different times",
        ),
    ],
)
def test_a_scale_free_chain_refuses_what_is_not_even_relative(
    changed: dict[str, Any], named: str, build: Build
) -> None:
    with pytest.raises(UnitsError, match=re.escape(named)):
        derive_relative(build(**changed))


def test_without_decay_correction_one_acquisition_is_relative_still(build: Build) -> None:
    assert derive_relative(build(DecayCorrection="NONE")).unit == "relative"


@pytest.mark.shared
@pytest.mark.parametrize("vendor", ["SIEMENS", "GE_MEDICAL_AND_BQML", "PHILIPS_BQML"])
def test_real_headers_in_bqml_give_the_published_factor(vendor: str, data: Path) -> None:
    expected = json.loads((data / "suv-cases" / "expected.json").read_text())["suvbw_factor"]
    assert derive(_published(data, vendor)).factor == pytest.approx(expected[vendor], abs=1e-9)


@pytest.mark.shared
def test_real_headers_in_counts_give_the_published_factor(data: Path) -> None:
    found = derive(_published(data, "PHILIPS_CNTS_AND_SUV"))
    assert found.factor == pytest.approx(0.000728, abs=1e-12)


@pytest.mark.shared
def test_a_real_slice_in_bqml_gives_the_factor_worked_out_by_hand(data: Path) -> None:
    header = pydicom.dcmread(data / "pet-slice-bqml" / "GH184.dcm", stop_before_pixels=True)
    found = derive([header])
    assert found.factor == pytest.approx(BY_HAND, rel=1e-10)
    assert found.notes == ()


@pytest.mark.shared
def test_real_series_in_gml_are_never_scaled_again(data: Path) -> None:
    for patient in ("STS_003", "STS_018"):
        folder = data / "pet-mr-ct-sts" / "dicom" / patient / "PET" / "image"
        headers = [
            pydicom.dcmread(path, stop_before_pixels=True) for path in sorted(folder.iterdir())
        ]
        assert derive(headers).factor == 1.0


def _published(data: Path, vendor: str) -> list[Dataset]:
    """The headers of one vendor, whose values are published as flat JSON, as data sets."""
    records = json.loads((data / "suv-cases" / f"{vendor}-instances.json").read_text())
    headers = []
    for record in records:
        header, isotope = Dataset(), Dataset()
        private = record.pop("PhilipsPETPrivateGroup")
        for key, value in record.items():
            text = value if isinstance(value, list) else str(value)
            setattr(isotope if key.startswith("Radio") else header, key, text)
        header.RadiopharmaceuticalInformationSequence = [isotope]
        header.add_new((0x7053, 0x10), "LO", "Philips PET Private Group")
        for key, element in (
            ("SUVScaleFactor", 0x1000),
            ("ActivityConcentrationScaleFactor", 0x1009),
        ):
            if key in private:
                header.add_new((0x7053, element), "DS", private[key])
        headers.append(header)
    return headers
