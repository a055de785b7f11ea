"""What prediction reads of a folder, by the settings a package was trained with."""

from __future__ import annotations

from pathlib import Path

import pytest
from slices import headers, save, stored

from mmmed.errors import NothingReadable, StudyError
from mmmed.inference.reading import read_cohort
from mmmed.training import package


def test_a_table_named_by_an_absolute_path_is_looked_for_in_the_folder(
    model: Path, bids: Path, tmp_path: Path
) -> None:
    scan = next(bids.rglob("*_T1w.nii.gz"))
    for place, case in ("training", "old"), ("new", "fresh"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "cases.csv").write_text(f"case_id,mri\n{case},{scan}\n")
    settings = {
        "kind": "table",
        "table": str(tmp_path / "training" / "cases.csv"),
        "modalities": {"mri": {"kind": "volume", "columns": ["mri"]}},
    }
    manifest = package.load(model).manifest.model_copy(update={"reading": settings})
    cohort = read_cohort(manifest, tmp_path / "new", out=tmp_path)
    assert [case.id for case in cohort.cases] == ["fresh"]


RULES = {
    "kind": "dicom-series",
    "modalities": {
        "mri": {
            "require": [
                {"say": "no MR", "rule": {"kind": "value", "fact": "modality", "of": ["MR"]}}
            ]
        }
    },
}


def test_a_package_trained_on_bids_reads_dicom_by_the_rules_it_holds(
    model: Path, tmp_path: Path
) -> None:
    series = headers(stored(), PatientID="one", StudyDate="20260101")
    save(series, tmp_path / "dicom" / "any")
    manifest = package.load(model).manifest.model_copy(update={"dicom": RULES})
    (case,) = read_cohort(manifest, tmp_path / "dicom", out=tmp_path / "out").cases
    assert len(case.sources["mri"][0].files) == len(series)
    assert "\tchosen\tmri\t" in (tmp_path / "out" / "choice.tsv").read_text()


def test_what_is_predicted_does_not_go_into_a_folder_of_dicom(model: Path, tmp_path: Path) -> None:
    save(headers(stored()), tmp_path / "dicom")
    manifest = package.load(model).manifest.model_copy(update={"dicom": RULES})
    with pytest.raises(StudyError, match="inside the data"):
        read_cohort(manifest, tmp_path / "dicom", out=tmp_path / "dicom" / "out")


def test_a_package_whose_chains_do_not_register_takes_no_dicom(model: Path, tmp_path: Path) -> None:
    save(headers(stored()), tmp_path / "dicom")
    with pytest.raises(NothingReadable, match="holds no sub-"):
        read_cohort(package.load(model).manifest, tmp_path / "dicom", out=tmp_path / "out")
