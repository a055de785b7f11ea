"""Names of what is converted."""

from __future__ import annotations

import hmac
from pathlib import Path

import pytest
import slices
from pydicom.uid import MRImageStorage, PositronEmissionTomographyImageStorage
from study import slice_of, write, write_series

from mmmed.conversion.naming import kind, names, siblings
from mmmed.readers.dicom.header import Header
from mmmed.readers.dicom.index import read_index
from mmmed.readers.dicom.reading import read_header
from mmmed.readers.dicom.series import read_series
from mmmed.readers.entities import parse


def header(folder: Path, **changes: str) -> Header:
    write(slice_of(**changes), folder / "a")
    found = read_header(folder, "a")
    assert isinstance(found, Header)
    return found


@pytest.mark.parametrize(
    ("description", "suffix"),
    [
        ("T1 3D", "T1w"),
        ("t1_mprage_sag_p2_iso", "T1w"),
        ("MP-RAGE REPEAT", "T1w"),
        ("Sag IR-FSPGR", "T1w"),
        ("T2 TSE", "T2w"),
        ("t2_flair_sag", "FLAIR"),
        ("3D Dark-Fluid", "FLAIR"),
        ("Ax T1 FLAIR", "T1w"),
        ("t1 flair", "T1w"),
        ("FLAIR_T1_sag", "T1w"),
        ("3-plane loc T1", None),
        ("T1 map", None),
        ("T2* GRE", None),
        ("ep2d_bold", None),
        ("", None),
    ],
)
def test_an_mr_series_is_named_by_what_its_description_says(
    tmp_path: Path, description: str, suffix: str | None
) -> None:
    said = {"SOPClassUID": MRImageStorage, "SeriesDescription": description}
    assert kind(header(tmp_path, **said)) == suffix


def test_a_pet_is_named_by_its_class(tmp_path: Path) -> None:
    said = {"SOPClassUID": PositronEmissionTomographyImageStorage, "SeriesDescription": "T1"}
    assert kind(header(tmp_path, **said)) == "pet"


def test_a_bids_name_is_read_back_by_its_entities(tmp_path: Path) -> None:
    write_series(tmp_path, 2)
    (name,) = names(read_index(tmp_path).series)
    path = Path(name.with_ending(".nii.gz"))
    found = parse(path.name)
    assert (found.session, found.suffix, found.ending) == ("20200229", "T1w", ".nii.gz")
    assert path.parent.parts == (f"sub-{found.subject}", "ses-20200229", "anat")


def test_no_name_holds_the_patient_id(tmp_path: Path) -> None:
    write_series(tmp_path / "a", 2, PatientID="Doe1970")
    write_series(tmp_path / "b", 2, PatientID="Doe1970", series="1.2.3", SeriesDescription="x")
    assert not any("Doe1970" in one.with_ending("") for one in names(read_index(tmp_path).series))


def test_series_of_one_name_become_runs(tmp_path: Path) -> None:
    write_series(tmp_path / "a", 2)
    write_series(tmp_path / "b", 2, series="1.2.3", SeriesNumber=9)
    found = [one.with_ending("").rsplit("/", 1)[1] for one in names(read_index(tmp_path).series)]
    assert [one.split("_", 2)[2] for one in found] == ["run-1_T1w", "run-2_T1w"]


@pytest.mark.parametrize(
    ("label", "ending"),
    [
        ("", "_T1w"),
        ("echo 2", "_echo-2_T1w"),
        ("echo 1 phase", "_echo-1_part-phase_T1w"),
        ("axial b 1000", "_acq-axialb1000_T1w"),
    ],
)
def test_volumes_of_one_series_are_told_apart(tmp_path: Path, label: str, ending: str) -> None:
    write_series(tmp_path, 2)
    (name,) = names(read_index(tmp_path).series)
    (own,) = siblings(name, [label])
    assert own.with_ending("").endswith(f"ses-20200229{ending}")


@pytest.mark.parametrize(
    ("keyword", "values", "endings"),
    [
        ("TriggerTime", ("80.5", "1080.5"), ["acq-gate1_T1w", "acq-gate2_T1w"]),
        ("ComplexImageComponent", ("MAGNITUDE", "PHASE"), ["acq-magnitude_T1w", "part-phase_T1w"]),
    ],
)
def test_a_phase_in_a_name_is_that_of_the_signal_and_no_gate(
    tmp_path: Path, keyword: str, values: tuple[str, str], endings: list[str]
) -> None:
    """BIDS: `part-phase` is the phase of a complex signal."""
    series = [
        header
        for seed, value in enumerate(values)
        for header in slices.headers(
            slices.stored(seed=seed),
            SeriesInstanceUID="1.2.3",
            FrameOfReferenceUID="1.2.4",
            StudyInstanceUID="1.2.5",
            SeriesDescription="T1",
            **{keyword: value},
        )
    ]
    found = read_series(slices.save(series, tmp_path))
    (name,) = names(read_index(tmp_path).series)
    called = [one.with_ending("") for one in siblings(name, [one.label for one in found])]
    assert [one.split("_", 2)[2] for one in called] == endings


def test_labels_that_read_alike_in_a_name_do_not_share_it(tmp_path: Path) -> None:
    write_series(tmp_path, 2)
    (name,) = names(read_index(tmp_path).series)
    called = [one.with_ending("") for one in siblings(name, ["b -1", "b 1", "b 1.5", "b 15"])]
    assert len(set(called)) == 4


def test_names_of_files_hold_words_of_protocols_alone(tmp_path: Path) -> None:
    write_series(tmp_path, 2, SeriesDescription="ep2d_bold Mrs Miller <b>rest")
    (name,) = names(read_index(tmp_path).series)
    assert name.with_ending("").rsplit("/", 1)[1].startswith("3-ep2d-bold-rest-")


def test_a_salt_changes_subjects_and_nothing_else(tmp_path: Path) -> None:
    """By HMAC-SHA-256 of the digest that stands for the patient, as RFC 2104 defines it."""
    write_series(tmp_path / "a", 2)
    write_series(tmp_path / "b", 2, series="1.2.3", PatientID="two", StudyInstanceUID="1.2.4")
    series = read_index(tmp_path).series
    plain, salted = names(series), names(series, salt=b"secret")
    again = [hmac.new(b"secret", one.headers[0].identity.encode(), "sha256") for one in series]
    subjects = [one.entities.subject for one in salted if one.entities]
    assert subjects == [one.hexdigest()[:10] for one in again]
    assert len({*subjects, *(one.entities.subject for one in plain if one.entities)}) == 4
    assert [one.entities.session for one in salted if one.entities] == ["20200229"] * 2
