"""`prepare` over a folder of DICOM: two patients, whose PETs are not alike."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import PositronEmissionTomographyImageStorage as PetImage
from slices import headers, save

from mmmed import library
from mmmed.cohorts.bids import BidsCohort, read_bids
from mmmed.cohorts.choice_table import CHOICE
from mmmed.derivatives.folder import QUALITY, prepare_folder
from mmmed.derivatives.input import scans
from mmmed.errors import NothingReadable, StudyError
from mmmed.progress import Silent
from mmmed.readers import template
from mmmed.readers.template import Like
from mmmed.record import table
from mmmed.transforms.chain import load_chain

NAME = "Doe^Jane"
ABSOLUTE = """mmmed: 1
item: volume
prepare:
  - {kind: register, template: pet}
  - {kind: to-template, voxel_mm: 4}
"""
"""A chain that is not the same in any linear unit."""


def put(folder: Path, like: Like, voxel_mm: float, largest: int, said: dict) -> None:
    """The template as an axial series, in the scanner's axes."""
    grid, data = template.grid(voxel_mm), np.asarray(template.looks(like, voxel_mm))
    planes = np.round(data / data.max() * largest).astype(np.uint16)
    corner = grid.affine @ [grid.shape[0] - 1, grid.shape[1] - 1, 0, 1]
    common = {"PixelSpacing": [voxel_mm, voxel_mm], "PatientName": NAME, **said}
    series = headers(
        planes[::-1, ::-1].transpose(2, 1, 0),
        origin=(-corner[0], -corner[1], corner[2]),
        step=voxel_mm,
        **common,
    )
    save(series, folder)


def pet(folder: Path, patient: str, dose: float | None) -> None:
    """A PET an hour after its injection, of at most 6 SUV where the dose is 370 MBq."""
    tracer = Dataset()
    tracer.RadiopharmaceuticalStartTime = "100000"
    tracer.RadionuclideTotalDose = dose
    tracer.RadionuclideHalfLife = 6586.2
    said = {
        "PatientID": patient,
        "SOPClassUID": PetImage,
        "Modality": "PT",
        "Units": "BQML",
        "DecayCorrection": "START",
        "CorrectedImage": ["ATTN", "DECY"],
        "StudyDate": "20260102",
        "SeriesDate": "20260102",
        "SeriesTime": "110000",
        "AcquisitionDate": "20260102",
        "AcquisitionTime": "110000",
        "PatientWeight": 70.0,
        "RescaleSlope": 1.0,
        "RescaleIntercept": 0.0,
        "RadiopharmaceuticalInformationSequence": [tracer],
    }
    put(folder, "pet", 4.0, 21700, said)


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One patient's MRI and PET without a dose, and another one's PET."""
    root = tmp_path_factory.mktemp("hospital")
    mri = {"SeriesDescription": "t1_mprage", "MRAcquisitionType": "3D", "StudyDate": "20260101"}
    put(root / "sub-1" / "mri", "t1", 2.0, 2000, {**mri, "PatientID": "one"})
    pet(root / "sub-1" / "pet", "one", None)
    pet(root / "sub-2" / "pet", "two", 3.7e8)
    return root


def prepared(data: Path, out: Path, folder: Path) -> str:
    chain = folder / "absolute.yaml"
    chain.write_text(ABSOLUTE, encoding="utf-8")
    chains = {"mri": "brain-mri", "pet": str(chain)}
    return str(prepare_folder(data, out, chains=chains, cohort=None, start=None))


@pytest.fixture(scope="module")
def out(hospital: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out")
    told = prepared(hospital, folder / "out", folder)
    assert told == "2 pass, 0 warn, 0 fail, 1 refused", (folder / "out/quality.tsv").read_text()
    return folder / "out"


def test_a_pet_without_a_dose_is_refused_and_the_mri_goes_on(out):
    rows = {
        row["source"].rpartition("/")[0]: row for row in table.read(out / "quality.tsv", QUALITY)
    }
    assert {key: row["verdict"] for key, row in rows.items()} == {
        "sub-1/mri": "pass",
        "sub-1/pet": "refused",
        "sub-2/pet": "pass",
    }
    assert rows["sub-1/mri"]["case_id"] == rows["sub-1/pet"]["case_id"]
    assert "SUV cannot be computed" in rows["sub-1/pet"]["reason"]


def test_the_sidecar_of_a_pet_has_its_derivation_and_all_its_files(out, hospital):
    (path,) = out.rglob("*_pet.json")
    facts = json.loads(path.read_text())
    factor = 1000 * 70 / (3.7e8 * 2 ** (-3600 / 6586.2))
    assert facts["SUV"]["unit"] == "SUVbw"
    assert facts["SUV"]["factor"] == pytest.approx(factor, rel=1e-6)
    files = {path.relative_to(hospital).as_posix() for path in (hospital / "sub-2/pet").iterdir()}
    assert set(facts["Sources"]) == files
    assert 1 < facts["Checks"]["suv_low"] < 6


def test_every_series_has_a_row_and_nobody_is_named(out):
    rows = table.read(out / "choice.tsv", CHOICE)
    assert [row["status"] for row in rows] == ["chosen"] * 3
    texts = [path for path in out.rglob("*") if path.suffix in (".tsv", ".json")]
    assert all(NAME not in path.read_text() for path in texts)


def test_the_output_is_a_bids_folder_of_the_same_cases(out):
    volume = {"kind": "volume", "datatype": "anat", "suffix": "T1w"}
    pets = {"kind": "volume", "datatype": "pet", "suffix": "pet"}
    spec = {"kind": "bids", "root": out, "modalities": {"mri": volume, "pet": pets}}
    cases = read_bids(BidsCohort.model_validate(spec), "again").cases
    owned = {tuple(case.sources): case.session for case in cases}
    assert owned == {("mri",): "ses-20260101", ("pet",): "ses-20260102"}


def test_a_second_call_writes_no_volume_again(out, hospital, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.nii.gz")}
    prepared(hospital, out, tmp_path)
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.nii.gz")} == before


def test_what_this_call_does_not_write_is_removed_and_what_is_not_ours_stays(
    out, hospital, tmp_path
):
    data = shutil.copytree(hospital, tmp_path / "data")
    again = shutil.copytree(out, tmp_path / "again")
    (gone,) = again.glob("sub-*/ses-*/pet/*_pet.nii.gz")
    foreign = gone.with_name("sub-x_space-MNI152NLin2009aSym_desc-other_pet.nii.gz")
    shutil.copy(gone, foreign)
    pictures = len(list((again / "qc").iterdir()))
    shutil.rmtree(data / "sub-2")
    assert prepared(data, again, tmp_path) == (
        "1 pass, 0 warn, 0 fail, 1 refused; 1 of an earlier call removed"
    )
    assert [path.name for path in again.rglob("*_pet.*")] == [foreign.name]
    assert len(list(again.rglob("*_T1w.nii.gz"))) == 1
    assert len(list((again / "qc").iterdir())) == pictures - 1
    shutil.rmtree(data / "sub-1" / "mri")
    with pytest.raises(NothingReadable):
        prepared(data, again, tmp_path)
    assert len(list(again.rglob("*_T1w.nii.gz"))) == 1


def test_a_refused_series_gives_way_to_the_next_best(tmp_path):
    said = {"SeriesDescription": "t1_mprage", "MRAcquisitionType": "3D", "StudyInstanceUID": "1.1"}
    for number in (1, 2):
        series = headers(
            np.ones((60, 4, 4), np.uint16),
            step=2.0,
            SeriesNumber=number,
            PixelSpacing=[1, 1],
            **said,
        )
        save(series, tmp_path / "in" / str(number))
    first = min((tmp_path / "in" / "1").iterdir())
    first.write_bytes(first.read_bytes()[:-8])
    chain = load_chain(library.find("transforms", "brain-mri", start=None))
    found = scans(
        tmp_path / "in",
        tmp_path / "out",
        chains={"mri": chain},
        cohort=None,
        start=None,
        jobs=1,
        tell=Silent(),
    )
    assert found.cases[0].sources["mri"][0].path.parent.name == "2"


def test_where_no_series_is_fit_the_reasons_are_written(tmp_path):
    save(headers(np.zeros((4, 8, 8), np.uint16)), tmp_path / "in" / "knee")
    with pytest.raises(NothingReadable, match="no series is fit"):
        prepared(tmp_path / "in", tmp_path / "out", tmp_path)
    (row,) = table.read(tmp_path / "out" / "choice.tsv", CHOICE)
    assert "not T1-weighted" in row["why"]


def test_a_folder_without_dicom_says_so(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "notes.txt").write_text("no DICOM")
    with pytest.raises(NothingReadable, match="holds no DICOM series"):
        prepared(tmp_path / "in", tmp_path / "out", tmp_path)


def test_an_output_inside_the_data_is_refused(hospital, tmp_path):
    with pytest.raises(StudyError, match="lies inside the data"):
        prepared(hospital, hospital / "out", tmp_path)
