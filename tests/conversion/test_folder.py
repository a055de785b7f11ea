"""A folder of DICOM becomes NIfTI, sidecars and an index that accounts for every file."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from pydicom.dataset import Dataset
from references import REFERENCES, coarseness, volumes
from study import SERIES, STUDY, slice_of, write, write_series

from mmmed.conversion.folder import INDEX, Counts, convert_folder
from mmmed.conversion.naming import Name
from mmmed.conversion.task import File, Task, convert
from mmmed.errors import NothingReadable, RunError, StudyError
from mmmed.record import table


def rows(out: Path) -> dict[str, dict[str, str]]:
    return {row["path"]: row for row in table.read(out / "index.tsv", INDEX)}


def content(out: Path) -> dict[str, bytes]:
    """Every file of an output but the notes of the program."""
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and ".mmmed-convert" not in path.parts
    }


def messy(folder: Path) -> Path:
    """A good series, a series with a gap, a report, a text, a broken file, two patients."""
    write_series(folder / "good", 6)
    for number in (1, 2, 3, 5, 6):
        gap = slice_of(number, series="1.2.3", SeriesDescription="<b>gap</b>\tand\nmore")
        write(gap, folder / "gap" / f"{number}")
    report = slice_of(1, series="1.2.4", SOPClassUID="1.2.840.10008.5.1.4.1.1.88.33")
    write(report, folder / "report.dcm")
    (folder / "note.txt").write_text("hello")
    (folder / "broken").write_bytes(bytes(128) + b"DICM")
    for patient in ("one", "two"):
        mixed = slice_of(1, series=f"1.2.5.{len(patient)}", StudyInstanceUID=f"{STUDY}.7")
        mixed.PatientID = patient
        mixed.SeriesInstanceUID = f"1.2.5.{patient == 'one':d}"
        write(mixed, folder / "mixed 頭部" / patient)
    return folder


def test_voxels_and_affine_are_those_of_the_slices(tmp_path: Path) -> None:
    """Expected by PS3.3 C.7.6.2.1.1: rows of 5 along x, columns of 4 along y, slices along z."""
    write_series(tmp_path / "in", 6)
    convert_folder(tmp_path / "in", tmp_path / "out")
    (row,) = rows(tmp_path / "out").values()
    image = nib.load(tmp_path / "out" / row["output"])
    turned = nib.as_closest_canonical(image)
    data = turned.get_fdata()
    assert data.shape == (5, 4, 6)
    first = np.arange(20, dtype=float).reshape(4, 5) + 1
    np.testing.assert_array_equal(data[:, :, 0], first[::-1, ::-1].T)
    np.testing.assert_allclose(np.abs(np.diag(image.affine)[:3]), [1.25, 1.5, 2.0])
    corner = turned.affine @ [4, 3, 0, 1]
    np.testing.assert_allclose(corner[:3], [10.0, 20.0, 2.0])


def test_every_file_is_accounted_for_with_its_reason(tmp_path: Path) -> None:
    counts = convert_folder(messy(tmp_path / "in"), tmp_path / "out")
    found = rows(tmp_path / "out")
    assert {path: (row["verdict"], row["reason_code"]) for path, row in found.items()} == {
        "good/IM001": ("ok", "n/a"),
        "gap/1": ("refused", "geometry"),
        "report.dcm": ("set-aside", "report"),
        "note.txt": ("set-aside", "not-dicom"),
        "broken": ("unreadable", "no-header"),
        "mixed 頭部/one": ("refused", "several-patients"),
        "mixed 頭部/two": ("refused", "several-patients"),
    }
    assert (counts.series, counts.volumes, counts.refused, counts.failed) == (1, 1, 3, 0)
    assert all(row["reason_text"].isprintable() for row in found.values())
    assert str(tmp_path) not in (tmp_path / "out" / "index.tsv").read_text()


def test_a_series_says_its_study_class_and_modality(tmp_path: Path) -> None:
    write_series(tmp_path / "in", 6)
    convert_folder(tmp_path / "in", tmp_path / "out")
    (row,) = rows(tmp_path / "out").values()
    assert (row["study"], row["series"], row["modality"]) == (STUDY, SERIES, "MR")
    assert row["sop_class"] == "1.2.840.10008.5.1.4.1.1.4"


def test_a_sidecar_tells_geometry_and_sources_and_no_patient(tmp_path: Path) -> None:
    person = {"PatientName": "Schmidt^Anna", "PatientID": "HX4711"}
    free = {"SeriesDescription": "Schmidt T1 HX4711", "ProtocolName": "T1 for Anna"}
    write_series(tmp_path / "in", 6, **person, **free)
    convert_folder(tmp_path / "in", tmp_path / "out")
    (path,) = (tmp_path / "out").rglob("*_T1w.json")
    text = path.read_text()
    said = json.loads(text)
    assert said["Geometry"]["Shape"] == [5, 4, 6]
    assert said["Geometry"]["VoxelSize"] == [1.25, 1.5, 2.0]
    assert said["EchoTime"] == 0.0025
    assert said["Sources"] == [f"IM{number:03d}" for number in range(1, 7)]
    assert said["SeriesDescription"] == "[removed] T1 [removed]"
    assert said["ProtocolName"] == "T1 for [removed]"
    assert not any(word in text for word in ("Schmidt", "Anna", "HX4711"))


def test_the_volumes_of_a_dynamic_pet_share_the_moment_of_their_decay_correction(
    tmp_path: Path,
) -> None:
    """The earliest of all acquisitions, 10:00, an hour after the injection; by hand."""
    tracer = Dataset()
    tracer.RadiopharmaceuticalStartTime = "090000"
    tracer.RadionuclideTotalDose, tracer.RadionuclideHalfLife = 3.7e8, 6586.2
    pet = {
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.128",
        "Modality": "PT",
        "Units": "BQML",
        "DecayCorrection": "START",
        "CorrectedImage": ["ATTN", "DECY"],
        "SeriesDate": "20240229",
        "SeriesTime": "102000",
        "AcquisitionDate": "20240229",
        "PatientWeight": 70.0,
        "RescaleSlope": 2.0,
        "RescaleIntercept": 0.0,
        "RadiopharmaceuticalInformationSequence": [tracer],
    }
    for number in range(12):
        own = {
            "AcquisitionTime": "100000" if number < 6 else "104000",
            "FrameReferenceTime": float(number // 6),
            "ImagePositionPatient": [-10.0, -20.0, 2.0 * (number % 6)],
        }
        write(slice_of(number + 1, **pet, **own), tmp_path / "in" / f"{number}")
    convert_folder(tmp_path / "in", tmp_path / "out")
    found = [json.loads(path.read_text())["SUV"] for path in (tmp_path / "out").rglob("*_pet.json")]
    factor = 1000 * 70 / (3.7e8 * 2 ** (-3600 / 6586.2))
    assert [one["factor"] for one in found] == pytest.approx([factor, factor])


def test_a_pet_without_dose_is_written_and_says_why_it_has_no_suv(tmp_path: Path) -> None:
    pet = {
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.128",
        "Modality": "PT",
        "Units": "BQML",
        "RescaleSlope": 2.0,
        "RescaleIntercept": 0.0,
    }
    write_series(tmp_path / "in", 6, **pet)
    convert_folder(tmp_path / "in", tmp_path / "out")
    (path,) = (tmp_path / "out").rglob("*_pet.json")
    assert "SUV cannot be computed" in json.loads(path.read_text())["SUV"]["refused"]


def test_the_output_is_the_same_for_any_number_of_processes(tmp_path: Path) -> None:
    folder = messy(tmp_path / "in")
    convert_folder(folder, tmp_path / "one", jobs=1)
    convert_folder(folder, tmp_path / "two", jobs=2)
    assert content(tmp_path / "one") == content(tmp_path / "two")


def test_a_second_run_makes_nothing_again_and_the_same(tmp_path: Path) -> None:
    folder = messy(tmp_path / "in")
    convert_folder(folder, tmp_path / "out")
    before = content(tmp_path / "out")
    (image,) = (tmp_path / "out").rglob("*.nii.gz")
    made = image.stat().st_mtime_ns
    convert_folder(folder, tmp_path / "out")
    assert content(tmp_path / "out") == before
    assert image.stat().st_mtime_ns == made


def test_what_an_interrupted_run_left_out_is_made(tmp_path: Path) -> None:
    folder = messy(tmp_path / "in")
    convert_folder(folder, tmp_path / "out")
    before = content(tmp_path / "out")
    (image,) = (tmp_path / "out").rglob("*.nii.gz")
    image.unlink()
    (tmp_path / "out" / "index.tsv").unlink()
    convert_folder(folder, tmp_path / "out")
    assert content(tmp_path / "out") == before


def test_a_series_that_gets_another_name_leaves_none_behind(tmp_path: Path) -> None:
    write_series(tmp_path / "in" / "b", 6)
    convert_folder(tmp_path / "in", tmp_path / "out")
    write_series(tmp_path / "in" / "a", 6, series="1.2.3", SeriesNumber=1)
    convert_folder(tmp_path / "in", tmp_path / "out")
    found = sorted(path.name.split("_", 2)[2] for path in (tmp_path / "out").rglob("sub-*_*.*"))
    assert found == ["run-1_T1w.json", "run-1_T1w.nii.gz", "run-2_T1w.json", "run-2_T1w.nii.gz"]


def test_a_name_that_went_to_another_series_and_back_holds_the_right_voxels(
    tmp_path: Path,
) -> None:
    """`hidden` has no name of its own: it takes the one that `held` had alone."""
    source, out = tmp_path / "in", tmp_path / "out"
    write_series(source / "stays", 6, series="1.2.9", SeriesDescription="localizer")
    write_series(source / "held", 6)
    convert_folder(source, out)
    before = content(out)
    (source / "held").rename(tmp_path / "away")
    write_series(source / "hidden", 5, series="1.2.3")
    convert_folder(source, out)
    assert content(out) != before
    shutil.move(source / "hidden", tmp_path / "gone")
    (tmp_path / "away").rename(source / "held")
    convert_folder(source, out)
    assert content(out) == before


def test_what_was_made_of_a_series_that_is_gone_goes(tmp_path: Path) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    write_series(source / "stays", 6)
    write_series(source / "goes", 6, series="1.2.3", SeriesDescription="T2")
    convert_folder(source, out)
    shutil.rmtree(source / "goes")
    convert_folder(source, out)
    (row,) = rows(out).values()
    assert [str(one.relative_to(out)) for one in out.rglob("*.nii.gz")] == [row["output"]]
    assert not list(out.rglob("*_T2w.json"))


def test_the_output_of_another_input_is_left_alone(tmp_path: Path) -> None:
    write_series(tmp_path / "in", 6)
    write_series(tmp_path / "other", 6, series="1.2.3")
    convert_folder(tmp_path / "in", tmp_path / "out")
    before = content(tmp_path / "out")
    with pytest.raises(StudyError, match="series of another input"):
        convert_folder(tmp_path / "other", tmp_path / "out")
    assert content(tmp_path / "out") == before


def test_a_volume_that_cannot_be_written_is_no_fault_of_its_files(tmp_path: Path) -> None:
    """A file stands where the folder of the patient must go."""
    source, out = tmp_path / "in", tmp_path / "out"
    write_series(source / "scout", 6, series="1.2.9", SeriesDescription="localizer")
    convert_folder(source, out)
    (subject,) = (out / "other").iterdir()
    (out / subject.name).write_text("")
    write_series(source / "head", 6)
    counts = convert_folder(source, out)
    row = rows(out)["head/IM001"]
    assert (row["verdict"], row["reason_code"]) == ("unreadable", "not-written")
    assert "cannot be written" in row["reason_text"]
    assert (counts.series, counts.failed) == (1, 1)


def test_an_index_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    write_series(tmp_path / "in", 6)
    convert_folder(tmp_path / "in", tmp_path / "out")
    (tmp_path / "out" / "index.tsv").unlink()
    (tmp_path / "out" / "index.tsv").mkdir()
    with pytest.raises(RunError, match="cannot be written to"):
        convert_folder(tmp_path / "in", tmp_path / "out")


@pytest.mark.parametrize(("number", "said"), [(1, "1 volume,"), (2, "2 volumes,")])
def test_one_is_not_counted_as_many(number: int, said: str) -> None:
    assert said in str(Counts(1, number, 0, 1, 0, 0))
    assert "1 file set aside" in str(Counts(1, number, 0, 1, 0, 0))


def test_a_file_that_grows_is_named_and_is_no_lasting_verdict(tmp_path: Path) -> None:
    """The index saw fewer bytes than there are when the series is read."""
    paths = write_series(tmp_path, 6)
    files = [File(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in paths]
    with paths[2].open("ab") as file:
        file.write(b"more")
    task = Task(tmp_path, tuple(files), (STUDY, SERIES), tmp_path / "out", Name("x", None, "y"))
    outcome = convert(task)
    assert (outcome.verdict, outcome.code, outcome.failed) == ("unreadable", "changing", True)
    assert "IM003" in outcome.text


def test_gzipped_files_are_read(tmp_path: Path) -> None:
    import gzip

    for path in write_series(tmp_path / "in", 6):
        path.with_suffix(".gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    assert convert_folder(tmp_path / "in", tmp_path / "out").series == 1


def test_a_folder_without_dicom_is_nothing_readable_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "note.txt").write_text("hello")
    with pytest.raises(NothingReadable, match=r"index\.tsv"):
        convert_folder(tmp_path / "in", tmp_path / "out")
    assert rows(tmp_path / "out")["note.txt"]["verdict"] == "set-aside"


def test_an_output_that_holds_something_else_is_refused(tmp_path: Path) -> None:
    write_series(tmp_path / "in", 2)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("x")
    with pytest.raises(StudyError, match="not empty"):
        convert_folder(tmp_path / "in", tmp_path / "out")
    with pytest.raises(StudyError, match="inside the input"):
        convert_folder(tmp_path / "in", tmp_path / "in" / "out")


@pytest.mark.shared
def test_real_series_become_bids_names_and_everything_has_a_verdict(
    data: Path, tmp_path: Path
) -> None:
    source = tmp_path / "in"
    shutil.copytree(data / "pet-mr-ct-sts" / "dicom" / "STS_003", source / "STS_003")
    shutil.copytree(data / "dicom-odd-pydicom", source / "odd")
    convert_folder(source, tmp_path / "out", jobs=2)
    found = rows(tmp_path / "out")
    names = {row["output"].rsplit("_", 1)[-1] for row in found.values() if "STS" in row["path"]}
    assert names == {"T1w.nii.gz", "pet.nii.gz", "n/a"}
    assert set(Counter(row["verdict"] for row in found.values())) == {
        "ok",
        "refused",
        "set-aside",
        "unreadable",
    }
    assert not any(row["reason_code"] == "unexpected" for row in found.values())
    (pet,) = (tmp_path / "out").rglob("*_pet.json")
    assert json.loads(pet.read_text())["SUV"]["factor"] == 1  # stored in GML: SUV already


@pytest.mark.shared
@pytest.mark.parametrize(("files", "references"), REFERENCES, ids=lambda value: str(value)[-40:])
def test_what_is_written_of_real_series_equals_their_references(
    data: Path, tmp_path: Path, files: str, references: tuple[str, ...]
) -> None:
    named = data / files
    convert_folder(named if named.is_file() else named.parent, tmp_path)
    (row,) = (one for one in rows(tmp_path).values() if one["verdict"] == "ok")
    made = [one for path in row["output"].split(";") for one in volumes(tmp_path / path)]
    wanted = [one for name in references for one in volumes(data / name)]
    assert len(made) == len(wanted)
    for (voxels, affine), (expected, place) in zip(made, wanted, strict=True):
        np.testing.assert_allclose(affine, place, atol=1e-3)
        largest = abs(expected).max() * coarseness(files)
        np.testing.assert_allclose(voxels, expected, rtol=2e-6, atol=largest)


def test_the_index_has_the_columns_that_are_promised(tmp_path: Path) -> None:
    write_series(tmp_path / "in", 2)
    convert_folder(tmp_path / "in", tmp_path / "out")
    _, header, *_ = (tmp_path / "out" / "index.tsv").read_text().splitlines()
    assert header.split("\t") == [
        "path",
        "study",
        "series",
        "sop_class",
        "modality",
        "verdict",
        "reason_code",
        "reason_text",
        "output",
    ]


def test_a_series_of_three_thousand_slices_is_one_volume(tmp_path: Path) -> None:
    whole = write(slice_of(1), tmp_path / "first").read_bytes()
    (tmp_path / "in").mkdir()
    instance, place = f"{SERIES}.1".encode(), b"-10.0\\-20.0\\2.0"
    for one in range(3000):
        named = b"1.2.%d" % one
        moved = b"-10\\-20\\%d" % (2 * one)
        changed = whole.replace(instance, named.ljust(len(instance), b"\0"))
        (tmp_path / "in" / f"{one}").write_bytes(changed.replace(place, moved.ljust(len(place))))
    counts = convert_folder(tmp_path / "in", tmp_path / "out")
    assert (counts.series, counts.volumes) == (1, 1)
    (path,) = (tmp_path / "out").rglob("*.nii.gz")
    assert sorted(nib.load(path).shape) == [4, 5, 3000]


def test_bad_input_costs_a_line_each_and_stops_nothing(tmp_path: Path) -> None:
    source = tmp_path / "in put 頭部"
    write_series(source / "good", 6)
    private = [slice_of(number, series="1.2.3") for number in range(1, 4)]
    for place, one in enumerate(private):
        one.private_block(0x0009, "MMMED", create=True).add_new(1, "OB", bytes(10 << 20))
        write(one, source / "private" / f"{place}")
    with (source / "zeros").open("wb") as file:
        file.truncate(2 << 30)
    (source / "loop").symlink_to(source, target_is_directory=True)
    os.mkfifo(source / "pipe")
    (source / "gone").symlink_to("nowhere")
    (source / "empty").touch()
    (source / os.fsdecode(b"caf\xe9\n")).write_text("x")
    counts = convert_folder(source, tmp_path / "out")
    found = rows(tmp_path / "out")
    assert {path: (row["verdict"], row["reason_code"]) for path, row in found.items()} == {
        "good/IM001": ("ok", "n/a"),
        "private/0": ("ok", "n/a"),
        "zeros": ("set-aside", "not-dicom"),
        "loop": ("set-aside", "link-loop"),
        "pipe": ("set-aside", "no-file"),
        "gone": ("unreadable", "not-there"),
        "empty": ("unreadable", "empty"),
        r"caf\xe9\n": ("set-aside", "not-dicom"),
    }
    assert (counts.series, counts.failed) == (2, 0)
