"""The series of a study: which is chosen, and the sentence for every other one."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest
from pydantic import ValidationError

from mmmed import config
from mmmed.cohorts.choice import SeriesChoice, Verdict, choose
from mmmed.cohorts.dicom_cohort import DICOM, DicomCohort, load_dicom
from mmmed.cohorts.series_rule import HasWord, words
from mmmed.errors import StudyError
from mmmed.readers.dicom.facts import SeriesFacts

T1 = SeriesFacts(
    study="1.2",
    uid="1.2.4",
    modality="MR",
    number=4,
    description="t1_mprage_sag",
    image_type=("ORIGINAL", "PRIMARY", "M", "ND"),
    images=176,
    slices=176,
    rows=256,
    columns=256,
    pixel_mm=(1.0, 1.0),
    step_mm=1.0,
    normal=(1.0, 0.0, 0.0),
    dimensions="3D",
    echo_ms=2.98,
    inversion_ms=900.0,
)
PET = SeriesFacts(
    study="1.2",
    uid="1.2.9",
    modality="PT",
    number=9,
    description="PET AC Brain",
    image_type=("ORIGINAL", "PRIMARY"),
    images=47,
    slices=47,
    rows=128,
    columns=128,
    pixel_mm=(2.0, 2.0),
    step_mm=3.27,
    normal=(0.0, 0.0, 1.0),
    units="BQML",
    corrections=("DECY", "ATTN"),
    tracer="FDG -- fluorodeoxyglucose",
)


@pytest.fixture(scope="module")
def rules() -> SeriesChoice:
    return load_dicom(DICOM, start=None)


def _verdict(series: SeriesFacts, rules: SeriesChoice, *others: SeriesFacts) -> Verdict:
    modality = "pet" if series.modality == "PT" else "mri"
    return next(
        one
        for one in choose([series, *others], rules)
        if (one.uid, one.modality) == (series.uid, modality)
    )


def test_every_series_has_a_sentence_for_every_modality(rules: SeriesChoice) -> None:
    verdicts = choose([T1, PET], rules)
    assert {(one.uid, one.modality) for one in verdicts} == {
        (uid, modality) for uid in ("1.2.4", "1.2.9") for modality in ("mri", "pet")
    }
    assert [one.uid for one in verdicts if one.chosen] == ["1.2.4", "1.2.9"]
    assert _verdict(T1, rules).why == "chosen for mri: the only series that is fit"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"description": "AAHead_Scout"}, "is a localiser"),
        ({"image_type": ("DERIVED", "SECONDARY", "MPR")}, "is derived"),
        ({"image_type": ("ORIGINAL", "PRIMARY", "P")}, "shows the phase"),
        ({"description": "t2_spc_3d_flair", "inversion_ms": 1800.0}, "is not T1-weighted"),
        ({"description": "T1 FLAIR 3D"}, "another weighting"),
        ({"dimensions": "2D", "description": "t1_se_tra"}, "not a 3-D"),
        ({"step_mm": 5.0, "slices": 60, "images": 60}, "thicker than 2 mm"),
        ({"slices": 24, "images": 24}, "fewer than 60"),
        ({"body_part": "KNEE"}, "another part of the body"),
        ({"echo_ms": 80.0}, "echo too long"),
        ({"images": 352}, "several echoes"),
        ({"rows": 90, "columns": 90}, "does not cover"),
        ({"modality": "CT"}, "is no MR"),
    ],
)
def test_what_is_no_3d_t1_of_a_brain_is_not_chosen_and_why(
    changed: dict[str, object], why: str, rules: SeriesChoice
) -> None:
    found = _verdict(replace(T1, **changed), rules)
    assert not found.chosen
    assert why in found.why


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"corrections": ("DECY",)}, "not attenuation corrected"),
        ({"description": "PET NAC"}, "not attenuation corrected by its name"),
        ({"tracer": "Florbetapir"}, "not known as FDG"),
        ({"tracer": "FDG", "description": "AV45"}, "another tracer by a name"),
        ({"body_part": "EXTREMITY"}, "another part"),
        ({"units": "STDDEV"}, "linear unit"),
        ({"slices": 12, "images": 12}, "fewer than 20"),
    ],
)
def test_what_is_no_corrected_fdg_pet_is_not_chosen_and_why(
    changed: dict[str, object], why: str, rules: SeriesChoice
) -> None:
    found = _verdict(replace(PET, **changed), rules)
    assert not found.chosen
    assert why in found.why


def test_a_missing_slice_is_the_reason_and_not_the_thickness_of_the_others(
    rules: SeriesChoice,
) -> None:
    for series in (T1, PET):
        found = _verdict(replace(series, missing_slices=1), rules)
        assert not found.chosen
        assert found.why.endswith("lacks slices between others (missing_slices 1)")


def test_a_reason_shows_what_the_headers_say(rules: SeriesChoice) -> None:
    assert _verdict(replace(T1, slices=24, images=24), rules).why.endswith(
        "has fewer than 60 slices (slices 24)"
    )
    assert "corrections not stated" in _verdict(replace(PET, corrections=()), rules).why


@pytest.mark.parametrize(
    ("tracer", "description", "modality"),
    [
        ("FDG -- fluorodeoxyglucose", "PET AC", "pet"),
        ("18FDG", "PET AC", "pet"),
        ("2-Deoxy-D-Glucose [18F]", "PET AC", "pet"),
        ("", "PET AC", "pet"),
        ("18F-AV-45", "PET AC", "amyloid"),
        ("Florbetapir F^18^", "PET AC", "amyloid"),
        ("", "AV45 brain", "amyloid"),
        ("Pittsburgh compound B C^11^", "PET AC", "amyloid"),
        ("18F-AV-1451", "PET AC", "tau"),
        ("T807 F^18^", "PET AC", "tau"),
        ("", "PI-2620", "tau"),
        ("FDG / Florbetapir F^18^", "PET AC", None),
        ("3-deoxy-3-[18F]fluorothymidine", "PET AC", None),
        ("Fluoro-L-dopa F^18^", "PET AC", None),
    ],
)
def test_each_tracer_is_a_modality_of_its_own(
    tracer: str, description: str, modality: str | None
) -> None:
    rules = load_dicom("dicom-tracers", start=None)
    verdicts = choose([replace(PET, tracer=tracer, description=description)], rules)
    assert [one.modality for one in verdicts if one.chosen] == ([modality] if modality else [])


def test_the_thinner_series_is_preferred_and_both_are_told_the_figures(
    rules: SeriesChoice,
) -> None:
    thick = replace(T1, uid="1.2.3", number=3, description="t1_mpr_iso", step_mm=1.5)
    assert "series 3 (t1_mpr_iso)" in _verdict(T1, rules, thick).why
    assert "thickest_mm 1 against 1.5" in _verdict(thick, rules, T1).why


def test_a_series_without_contrast_agent_is_preferred_but_one_with_it_is_fit(
    rules: SeriesChoice,
) -> None:
    enhanced = replace(T1, uid="1.2.3", number=3, contrast_agent="Gadovist")
    assert _verdict(enhanced, rules).chosen
    assert "has no contrast agent" in _verdict(enhanced, rules, T1).why


def test_a_tie_goes_to_the_lower_number_then_to_the_smaller_uid_and_says_so(
    rules: SeriesChoice,
) -> None:
    again = replace(T1, uid="1.2.7", number=7)
    twin = replace(T1, uid="1.2.40")
    assert "lower series number" in _verdict(again, rules, T1).why
    assert "smaller UID" in _verdict(twin, rules, T1).why
    assert _verdict(T1, rules, twin, again).chosen


def test_the_order_of_the_series_is_no_matter(rules: SeriesChoice) -> None:
    series = [T1, PET, replace(T1, uid="1.2.3", number=None), replace(T1, uid="1.3", study="1.9")]
    assert len({choose(order, rules) for order in permutations(series)}) == 1


def test_each_study_chooses_for_itself(rules: SeriesChoice) -> None:
    other = replace(T1, study="1.9", uid="1.9.1")
    assert [one.uid for one in choose([T1, other], rules) if one.chosen] == ["1.2.4", "1.9.1"]


def test_headers_that_state_little_do_not_bar_a_series_whose_name_is_clear(
    rules: SeriesChoice,
) -> None:
    bare = SeriesFacts(study="1", uid="1.1", modality="MR", description="3D MPRAGE")
    assert _verdict(bare, rules).chosen


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("t1_mprage_SAG", ["t1", "mprage", "sag"]),
        ("AX 3D-T1 +C", ["ax", "3d", "t1", "c"]),
        ("WB.3D(AC)", ["wb", "3d", "ac"]),
        ("18F-AV-45", ["18f", "av", "45"]),
        ("", []),
    ],
)
def test_words_are_runs_of_letters_and_digits(text: str, found: list[str]) -> None:
    assert words(text) == found


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("fp-cit", "write fp cit"),
        (" ", "write a word"),
        ("*", "write a word"),
        ("a*b", "write a b"),
        ("a1b2", "write a1b 2"),
        ("av 45_", "write av 45"),
    ],
)
def test_a_word_that_is_in_no_text_is_refused(word: str, meant: str) -> None:
    with pytest.raises(ValidationError, match=meant):
        HasWord(kind="words", facts=("description",), of=("t1", word))


@pytest.mark.parametrize("word", ["FP", "fp cit", "f18fdg", "t2*", "deoxy d gluc*", "3d"])
def test_a_word_that_may_be_in_a_text_is_taken(word: str) -> None:
    rule = HasWord(kind="words", facts=("description",), of=(word,))
    assert rule.holds(replace(T1, description=word.replace("*", "x").upper()))


def test_a_rule_of_an_unknown_kind_is_refused_with_its_place() -> None:
    text = """
mmmed: 1
kind: dicom-series
modalities:
  mri:
    require: [{say: x, rule: {kind: regex, fact: modality, of: [MR]}}]
"""
    with pytest.raises(StudyError, match="unknown kind"):
        config.validate(config.parse(text, path=Path("x.yaml")), DicomCohort, drop=["mmmed"])
