"""The facts of a series, from headers built here."""

from __future__ import annotations

from io import BytesIO

import pytest
from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset

from mmmed.readers.dicom.description import describe
from mmmed.readers.silence import silent


def _slice(index: int) -> Dataset:
    header = Dataset()
    header.StudyInstanceUID, header.SeriesInstanceUID = "1.2", "1.2.3"
    header.Modality, header.SeriesNumber = "MR", "4"
    header.SeriesDescription = "t1 mprage"
    header.ImageType = ["ORIGINAL", "PRIMARY", "M"]
    header.Rows, header.Columns = 256, 200
    header.PixelSpacing = ["1.0", "1.25"]
    header.ImageOrientationPatient = ["0", "1", "0", "0", "0", "-1"]
    header.ImagePositionPatient = [str(1.5 * index), "-100", "120"]
    header.MRAcquisitionType = "3D"
    header.EchoTime, header.InversionTime = "2.98", "900"
    return header


def test_a_classic_series_is_described_by_all_its_headers() -> None:
    facts = describe([_slice(index) for index in (6, 0, 4, 2, 8)])
    assert (facts.uid, facts.number, facts.description) == ("1.2.3", 4, "t1 mprage")
    assert (facts.images, facts.slices) == (5, 5)
    assert facts.step_mm == pytest.approx(3.0)
    assert facts.normal == pytest.approx((-1, 0, 0))
    assert (facts.rows, facts.columns, facts.pixel_mm) == (256, 200, (1.0, 1.25))
    assert (facts.echo_ms, facts.inversion_ms, facts.dimensions) == (2.98, 900.0, "3D")


def test_several_echoes_of_a_slice_are_one_slice_and_more_images() -> None:
    headers = [_slice(index // 2) for index in range(8)]
    facts = describe(headers)
    assert (facts.images, facts.slices) == (8, 4)


def test_an_enhanced_header_is_described_by_its_frames() -> None:
    whole, shared, orientation, measures = Dataset(), Dataset(), Dataset(), Dataset()
    classic = _slice(0)
    orientation.ImageOrientationPatient = classic.ImageOrientationPatient
    measures.PixelSpacing = classic.PixelSpacing
    shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = [orientation], [measures]
    whole.SharedFunctionalGroupsSequence = [shared]
    whole.NumberOfFrames, whole.Rows, whole.Columns = 4, 256, 200
    whole.PerFrameFunctionalGroupsSequence = []
    for index in range(4):
        frame, position = Dataset(), Dataset()
        position.ImagePositionPatient = _slice(index).ImagePositionPatient
        frame.PlanePositionSequence = [position]
        whole.PerFrameFunctionalGroupsSequence.append(frame)
    facts = describe([whole])
    assert (facts.images, facts.slices, facts.step_mm) == (4, 4, 1.5)
    assert facts.pixel_mm == (1.0, 1.25)


def _item(**said: object) -> Dataset:
    item = Dataset()
    for keyword, value in said.items():
        setattr(item, keyword, value)
    return item


def _written(header: Dataset) -> Dataset:
    """The same, its values not yet converted from the bytes of a file."""
    stream = BytesIO()
    dcmwrite(stream, header, implicit_vr=False, little_endian=True)
    return dcmread(BytesIO(stream.getvalue()), force=True)


def test_enhanced_timing_contrast_region_and_phase_are_under_keywords_of_their_own() -> None:
    whole = _item(
        ComplexImageComponent="PHASE",
        ContrastBolusAgentSequence=[_item(CodeMeaning="Gadobutrol")],
        SharedFunctionalGroupsSequence=[
            _item(
                MREchoSequence=[_item(EffectiveEchoTime=3.5)],
                MRModifierSequence=[_item(InversionTimes=[950.0])],
                MRTimingAndRelatedParametersSequence=[_item(RepetitionTime="2300", FlipAngle="9")],
                MRImageFrameTypeSequence=[_item(FrameType=["DERIVED", "PRIMARY", "MPR"])],
                FrameAnatomySequence=[
                    _item(AnatomicRegionSequence=[_item(CodeMeaning="Entire head")])
                ],
            )
        ],
    )
    facts = describe([_written(whole)])
    assert (facts.echo_ms, facts.inversion_ms) == (3.5, 950.0)
    assert (facts.repetition_ms, facts.flip_degrees) == (2300.0, 9.0)
    assert (facts.contrast_agent, facts.body_part) == ("Gadobutrol", "Entire head")
    assert facts.image_type == ("DERIVED", "PRIMARY", "MPR", "PHASE")


def test_an_enhanced_pet_says_by_flags_what_was_corrected_and_by_a_mapping_its_unit() -> None:
    unit = _item(CodeValue="Bq/ml", CodingSchemeDesignator="UCUM")
    whole = _item(
        AttenuationCorrected="YES",
        DecayCorrected="YES",
        ScatterCorrected="NO",
        RealWorldValueMappingSequence=[
            _item(
                RealWorldValueSlope=2.0,
                RealWorldValueIntercept=0.0,
                MeasurementUnitsCodeSequence=[unit],
            )
        ],
    )
    frames = _item(SharedFunctionalGroupsSequence=[whole], AttenuationCorrected="YES")
    frames.DecayCorrected, frames.ScatterCorrected = "YES", "NO"
    facts = describe([_written(frames)])
    assert (facts.corrections, facts.units) == (("ATTN", "DECY"), "BQML")


@pytest.mark.parametrize(
    ("missing", "count"), [((), 0), ((4,), 1), ((2, 3), 2), ((1, 5), 2), ((0, 7), 0)]
)
def test_a_gap_is_told_as_missing_slices_and_not_as_thickness(
    missing: tuple[int, ...], count: int
) -> None:
    facts = describe([_slice(index) for index in range(8) if index not in missing])
    assert (facts.step_mm, facts.missing_slices) == (1.5, count)


@pytest.mark.parametrize(
    ("said", "age"),
    [
        ({"PatientAge": "073Y"}, 73.0),
        ({"PatientAge": "018M"}, 1.5),
        ({"PatientAge": "", "PatientBirthDate": "19500101", "StudyDate": "20260101"}, 76.0),
        ({"PatientAge": "old", "PatientBirthDate": "19500101", "StudyDate": "20260101"}, 76.0),
        ({"PatientAge": "999Y"}, None),
        ({"PatientBirthDate": "20270101", "StudyDate": "20260101"}, None),
        ({"PatientBirthDate": "19500101"}, None),
        ({"PatientBirthDate": "00000000", "StudyDate": "20260101"}, None),
    ],
)
def test_the_age_is_as_stated_or_from_birth_to_the_study(
    said: dict[str, str], age: float | None
) -> None:
    with silent():
        header = _item(**said)
    found = describe([header]).age_years
    assert found == (None if age is None else pytest.approx(age, abs=0.01))


def test_free_texts_do_not_name_the_patient() -> None:
    facts = describe(
        [
            _item(
                PatientName="Doe^Jane",
                PatientID="4711",
                SeriesDescription="t1 JANE mprage",
                ProtocolName="doe head",
                InstitutionName="Clinic of Doe",
                BodyPartExamined="HEAD",
            )
        ]
    )
    assert (facts.description, facts.protocol) == ("t1 [removed] mprage", "[removed] head")
    assert (facts.site, facts.body_part) == ("Clinic of [removed]", "HEAD")


def test_an_empty_header_states_nothing() -> None:
    facts = describe([Dataset()])
    assert (facts.modality, facts.number, facts.slices, facts.step_mm) == ("", None, None, None)


def test_a_damaged_size_is_as_if_it_were_not_stated() -> None:
    stream = BytesIO()
    dcmwrite(stream, _slice(0), implicit_vr=False, little_endian=True)
    rows = b"\x28\x00\x10\x00US\x02\x00\x00\x01"
    damaged = stream.getvalue().replace(rows, rows[:-4] + b"\x03\x00\x00\x01\x00")
    assert describe([dcmread(BytesIO(damaged), force=True)]).rows is None
