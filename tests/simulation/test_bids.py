"""A simulated cohort on disk."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
import pytest

from mmmed.errors import StudyError
from mmmed.mechanism import Mcar
from mmmed.readers.template import grid
from mmmed.simulation import bids, scans
from mmmed.simulation.bids import write
from mmmed.simulation.spec import AdSimulation, Subjects

SPEC = AdSimulation(
    subjects=Subjects(train=6, validation=2, calibration=2, test=4), voxel_mm=8.0, clinical=True
)

PET_REQUIRED = {
    "Manufacturer",
    "ManufacturersModelName",
    "Units",
    "TracerName",
    "TracerRadionuclide",
    "InjectedRadioactivity",
    "InjectedRadioactivityUnits",
    "InjectedMass",
    "InjectedMassUnits",
    "SpecificRadioactivity",
    "SpecificRadioactivityUnits",
    "ModeOfAdministration",
    "TimeZero",
    "ScanStart",
    "InjectionStart",
    "FrameTimesStart",
    "FrameDuration",
    "AcquisitionMode",
    "ImageDecayCorrected",
    "ImageDecayCorrectionTime",
    "ReconMethodName",
    "ReconMethodParameterLabels",
    "ReconFilterType",
    "AttenuationCorrection",
}
"""Of the BIDS specification 1.10, modality-specific files, PET."""


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("simulated") / "ad"
    write(SPEC, out)
    return out


def _digests(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def _image(root: Path, name: str, kind: str) -> Path:
    folder, suffix = {"mri": ("anat", "T1w"), "pet": ("pet", "trc-18FFDG_pet")}[kind]
    return root / name / "ses-M000" / folder / f"{name}_ses-M000_{suffix}.nii.gz"


def test_every_subject_has_both_scans_with_sidecars_at_their_bids_paths(dataset: Path) -> None:
    for number in range(1, 15):
        for kind in ("mri", "pet"):
            image = _image(dataset, f"sub-{number:03d}", kind)
            assert image.is_file()
            assert image.with_name(image.name.replace(".nii.gz", ".json")).is_file()
    assert len(list(dataset.glob("sub-*"))) == 14


def test_participants_are_described(dataset: Path) -> None:
    people = pd.read_csv(dataset / "participants.tsv", sep="\t")
    assert list(people.columns) == ["participant_id", "age", "sex", "site", "diagnosis", "part"]
    assert people["part"].value_counts().to_dict() == {
        "train": 6,
        "test": 4,
        "validation": 2,
        "calibration": 2,
    }
    assert set(people["diagnosis"]) == {"CN", "AD"}
    described = json.loads((dataset / "participants.json").read_text())
    assert set(described) == set(people.columns) - {"participant_id"}


def test_pet_sidecars_hold_what_bids_requires(dataset: Path) -> None:
    image = _image(dataset, "sub-001", "pet")
    sidecar = json.loads(image.with_name(image.name.replace(".nii.gz", ".json")).read_text())
    assert set(sidecar) >= PET_REQUIRED
    assert sidecar["SpatialReference"] == "MNI152NLin2009aSym"


def test_images_stand_in_mni_space(dataset: Path) -> None:
    for kind in ("mri", "pet"):
        image = nibabel.load(_image(dataset, "sub-001", kind))
        assert image.shape == grid(8).shape
        np.testing.assert_allclose(image.affine, grid(8).affine)
        assert int(image.header["sform_code"]) == 4
        assert image.get_fdata().max() > 0


def test_pet_values_are_bq_per_ml_of_the_order_of_a_brain_scan(dataset: Path) -> None:
    values = nibabel.load(_image(dataset, "sub-001", "pet")).get_fdata()
    assert 5_000 < np.percentile(values[values > 0], 90) < 60_000


def test_what_is_not_bids_is_ignored(dataset: Path) -> None:
    ignored = (dataset / ".bidsignore").read_text().split()
    assert {"truth.json", "simulation.json"} <= set(ignored)
    described = json.loads((dataset / "dataset_description.json").read_text())
    assert {"Name", "BIDSVersion"} <= set(described)
    top = {path.name for path in dataset.iterdir() if not path.name.startswith("sub-")}
    assert top - set(ignored) == {
        ".bidsignore",
        "README",
        "dataset_description.json",
        "participants.json",
        "participants.tsv",
        "phenotype",
    }


def test_clinical_variables_are_a_phenotype(dataset: Path) -> None:
    table = pd.read_csv(dataset / "phenotype" / "clinical.tsv", sep="\t")
    assert table.columns[0] == "participant_id"
    described = json.loads((dataset / "phenotype" / "clinical.json").read_text())
    assert set(described) == set(table.columns) - {"participant_id", "session_id"}
    assert table["mmse"].between(0, 30).all()


def test_truth_names_every_case(dataset: Path) -> None:
    truth = json.loads((dataset / "truth.json").read_text())
    assert len(truth["cases"]) == 14
    case = truth["cases"]["sub-001_ses-M000"]
    assert case["part"] == "train"
    assert set(case["log_odds"]) == {"mri", "pet", "mri+pet"}
    assert truth["matched"] is True


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_same_seed_gives_the_same_bytes_whatever_the_workers(
    jobs: int, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bids, "WORTH_WORKERS", 1)
    write(SPEC, tmp_path / "again", jobs=jobs)
    assert _digests(tmp_path / "again") == _digests(dataset)


def test_another_seed_gives_other_images(dataset: Path, tmp_path: Path) -> None:
    write(SPEC.model_copy(update={"seed": 1}), tmp_path / "other")
    one, two = (_image(root, "sub-001", "mri") for root in (dataset, tmp_path / "other"))
    assert one.read_bytes() != two.read_bytes()


def test_an_interrupted_dataset_is_taken_up_and_ends_with_the_same_bytes(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "interrupted"
    seen: list[int] = []

    def interrupt(done: int, total: int) -> None:
        seen.append(done)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(SPEC, out, progress=interrupt)
    assert 0 < len(list(out.glob("sub-*"))) < 14
    assert not (out / "participants.tsv").exists()
    assert not (out / "truth.json").exists()
    first = _image(out, "sub-001", "mri").stat().st_mtime_ns
    write(SPEC, out)
    assert _image(out, "sub-001", "mri").stat().st_mtime_ns == first
    assert _digests(out) == _digests(dataset)


def test_a_lost_file_is_written_again(dataset: Path, tmp_path: Path) -> None:
    out = tmp_path / "lost"
    write(SPEC, out)
    _image(out, "sub-003", "pet").unlink()
    write(SPEC, out)
    assert _digests(out) == _digests(dataset)


def test_a_finished_dataset_is_left_alone(dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(bids, "write_scans", refuse)
    before = (dataset / "truth.json").stat().st_mtime_ns
    write(SPEC, dataset)
    assert (dataset / "truth.json").stat().st_mtime_ns == before


def test_progress_counts_subjects(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    write(SPEC, tmp_path / "counted", progress=lambda done, total: seen.append((done, total)))
    assert seen == [(8, 14), (14, 14)]


def test_absent_pets_are_not_on_disk_and_the_rest_keeps_its_bytes(
    dataset: Path, tmp_path: Path
) -> None:
    spec = SPEC.model_copy(update={"missing": Mcar(modality="pet", rate=0.5)})
    write(spec, tmp_path / "half")
    pets = list((tmp_path / "half").glob("sub-*/ses-M000/pet/*.nii.gz"))
    assert len(pets) == 7
    for pet in pets:
        assert pet.read_bytes() == (dataset / pet.relative_to(tmp_path / "half")).read_bytes()


def test_a_folder_with_other_content_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep me")
    with pytest.raises(StudyError, match="is not empty; choose another folder"):
        write(SPEC, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StudyError, match="choose another folder"):
        write(SPEC, tmp_path / "file")


def test_a_dataset_of_other_settings_is_refused(dataset: Path) -> None:
    before = _digests(dataset)
    with pytest.raises(StudyError, match="of other settings"):
        write(SPEC.model_copy(update={"seed": 9}), dataset)
    assert _digests(dataset) == before


def test_damaged_settings_are_refused(tmp_path: Path) -> None:
    (tmp_path / "simulation.json").write_text("{")
    with pytest.raises(StudyError, match=r"simulation\.json: is damaged"):
        write(SPEC, tmp_path)


def test_gzip_streams_hold_no_time(dataset: Path) -> None:
    header = _image(dataset, "sub-001", "mri").read_bytes()[:10]
    assert header[4:8] == bytes(4)
    assert scans.SUFFIX["mri"] == "T1w"
