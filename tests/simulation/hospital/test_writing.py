"""A simulated hospital, read back: every series and file as `truth.tsv` says."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import highdicom
import numpy as np
import pandas as pd
import pytest
from pydicom.uid import JPEG2000Lossless

from mmmed.errors import DataError, StudyError, UnitsError
from mmmed.readers.dicom.index import read_index
from mmmed.readers.dicom.series import SeriesVolume, read_series
from mmmed.readers.nifti import read_volume
from mmmed.readers.suv.decision import derive
from mmmed.simulation import bids
from mmmed.simulation.hospital.fault import sound
from mmmed.simulation.hospital.study import orders
from mmmed.simulation.hospital.writing import write
from mmmed.simulation.spec import AdSimulation, Subjects
from mmmed.simulation.subjects import draw_subjects, participants

SPEC = AdSimulation(subjects=Subjects.of_total(8), seed=3, voxel_mm=16.0)
FINE = AdSimulation(subjects=Subjects.of_total(2), seed=3, voxel_mm=5.0)
"""Planes large enough for JPEG 2000."""


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("simulated") / "hospital"
    write(SPEC, out)
    return out


@pytest.fixture(scope="module")
def truth(hospital: Path) -> pd.DataFrame:
    return pd.read_csv(hospital / "truth.tsv", sep="\t", dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("simulated") / "bids"
    bids.write(SPEC, out)
    return out


@pytest.fixture(scope="module")
def volumes(hospital: Path) -> dict[str, tuple[SeriesVolume, ...] | str]:
    """What is made of every series: its volumes, or why not."""
    index = read_index(hospital)
    found: dict[str, tuple[SeriesVolume, ...] | str] = {
        one.series: one.text for one in index.aside if one.verdict == "refused"
    }
    for one in index.series:
        try:
            found[one.uid] = read_series(one.paths)
        except DataError as error:
            found[one.uid] = str(error)
    return found


def test_the_index_finds_the_series_of_the_truth_and_no_other(
    volumes: dict[str, tuple[SeriesVolume, ...] | str], truth: pd.DataFrame
) -> None:
    assert set(volumes) == set(truth["series"]) - {"n/a"}


def test_every_series_is_a_volume_or_is_refused_as_the_truth_says(
    truth: pd.DataFrame, volumes: dict[str, tuple[SeriesVolume, ...] | str]
) -> None:
    for _, row in truth[truth["series"] != "n/a"].iterrows():
        found = volumes[row["series"]]
        if row["expected"] != "tilt":
            assert isinstance(found, str) == (row["expected"] != "ok"), (row["path"], found)


def test_a_tilted_series_is_refused_or_says_what_was_done(
    truth: pd.DataFrame, volumes: dict[str, tuple[SeriesVolume, ...] | str]
) -> None:
    (series,) = truth[truth["expected"] == "tilt"]["series"]
    found = volumes[series]
    said = found if isinstance(found, str) else " ".join(found[0].notes)
    assert "tilt" in said


def test_the_planted_orientations_are_two_volumes_of_the_same_head(
    truth: pd.DataFrame, volumes: dict[str, tuple[SeriesVolume, ...] | str]
) -> None:
    (series,) = truth[truth["path"] == "faults/mixed"]["series"]
    axial, coronal = volumes[series]
    assert isinstance(axial, SeriesVolume)
    assert isinstance(coronal, SeriesVolume)
    np.testing.assert_array_equal(axial.volume.data, coronal.volume.data)


def test_every_stray_file_is_set_aside(hospital: Path, truth: pd.DataFrame) -> None:
    aside = {one.path: one.verdict for one in read_index(hospital).aside}
    for _, row in truth[truth["series"] == "n/a"].iterrows():
        assert aside[row["path"]] == row["expected"], row["path"]


def test_every_pet_has_the_factor_of_the_truth_or_is_refused(
    truth: pd.DataFrame, volumes: dict[str, tuple[SeriesVolume, ...] | str]
) -> None:
    ways = set()
    for _, row in truth[truth["modality"] == "PT"].iterrows():
        found = volumes[row["series"]]
        assert not isinstance(found, str)
        if row["suv"] == "refused":
            with pytest.raises(UnitsError):
                derive(found[0].headers)
        else:
            assert derive(found[0].headers).factor == pytest.approx(float(row["suv"]), rel=1e-6)
            ways.add(row["reason"])
    assert ways == {
        "bqml-start",
        "bqml-admin",
        "bqml-midnight",
        "gml",
        "cnts-suv",
        "cnts-activity",
        "bqml-later",
        "enhanced",
    }


def test_every_volume_is_that_of_the_bids_dataset(
    truth: pd.DataFrame, volumes: dict[str, tuple[SeriesVolume, ...] | str], dataset: Path
) -> None:
    checked = 0
    for _, row in truth[truth["source"] != "n/a"].iterrows():
        found = volumes[row["series"]]
        assert not isinstance(found, str)
        if row["reason"].startswith(("cnts", "gml")):
            continue
        (path,) = dataset.rglob(f"{row['source']}.nii.gz")
        expected = read_volume(path)
        np.testing.assert_allclose(found[0].volume.data, expected.data, rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(found[0].volume.affine, expected.affine, atol=1e-3)
        checked += 1
    assert checked > 15


def test_an_enhanced_file_holds_the_same_volume_for_another_library(
    hospital: Path, dataset: Path
) -> None:
    (whole,) = (hospital / "sub-003" / "mr" / "2").iterdir()
    volume = highdicom.imread(whole).get_volume().to_patient_orientation("RAS")
    expected = read_volume(next(dataset.rglob("sub-003*_T1w.nii.gz")))
    np.testing.assert_allclose(volume.array, expected.data)
    to_ras = np.diag([-1.0, -1.0, 1.0, 1.0])
    np.testing.assert_allclose(to_ras @ volume.affine, expected.affine, atol=1e-3)


def test_a_series_in_jpeg_2000_holds_the_same_volume(tmp_path: Path) -> None:
    person = participants(draw_subjects(FINE))[1]
    order = next(one for one in orders(FINE, person) if one.source.endswith("T1w"))
    paths = [tmp_path / name for name in sound(order)]
    for path, content in zip(paths, sound(order).values(), strict=True):
        path.write_bytes(content)
    (found,) = read_series(paths)
    assert order.syntax == JPEG2000Lossless
    np.testing.assert_array_equal(found.volume.data.astype(np.int16), order.values)


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    alone = SPEC.model_copy(update={"subjects": Subjects.of_total(1)})
    for name in ("once", "again"):
        write(alone, tmp_path / name)
    assert len(_digests(tmp_path / "once")) > 100
    assert _digests(tmp_path / "again") == _digests(tmp_path / "once")


def test_a_hospital_that_was_killed_is_gone_on_with_to_the_same_bytes(tmp_path: Path) -> None:
    alone = SPEC.model_copy(update={"subjects": Subjects.of_total(1)})
    write(alone, tmp_path / "whole")
    before = _digests(tmp_path / "whole")
    half = shutil.copytree(tmp_path / "whole", tmp_path / "half")
    kept = half / "sub-001" / "mr" / "2" / "IM0000"
    when = kept.stat().st_mtime_ns
    for name in ("truth.tsv", "media/DICOMDIR", "sub-001/pet/2/IM0003"):
        (half / name).unlink()
    shutil.rmtree(half / "faults" / "gap")
    (half / "sub-001" / "pet" / "2" / ".part-1-IM0003").write_bytes(b"half")
    heard: list[tuple[int, int]] = []
    write(alone, half, progress=lambda done, total: heard.append((done, total)))
    assert heard == [(1, 3), (2, 3), (3, 3)]
    assert _digests(half) == before
    assert kept.stat().st_mtime_ns == when


def test_a_folder_that_holds_something_else_is_refused(hospital: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(StudyError, match="is not empty"):
        write(SPEC, tmp_path)
    with pytest.raises(StudyError, match="other settings"):
        write(SPEC.model_copy(update={"seed": 4}), hospital)
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "simulation.json").write_text("{")
    with pytest.raises(StudyError, match="is damaged"):
        write(SPEC, tmp_path / "damaged")


def test_a_bids_dataset_of_the_same_settings_is_no_hospital(dataset: Path) -> None:
    with pytest.raises(StudyError, match="other settings"):
        write(SPEC, dataset)


def _digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }
