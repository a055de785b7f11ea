"""What prediction reads of a folder, by the settings a package was trained with."""

from __future__ import annotations

from pathlib import Path

import pytest
from heads import save_pair
from slices import headers, save, stored

from mmmed.errors import NothingReadable, StudyError
from mmmed.inference.reading import read_cohort, stock
from mmmed.progress import unheard
from mmmed.training import package
from mmmed.training.manifest import Preparation
from mmmed.transforms.chain import Chain

GRID = {"kind": "to-template", "voxel_mm": 8.0}
THROUGH = {
    "mri": Chain.model_validate({"item": "volume", "prepare": [{"kind": "register"}, GRID]}),
    "pet": Chain.model_validate(
        {
            "item": "volume",
            "prepare": [{"kind": "register", "template": "pet", "through": "mri"}, GRID],
        }
    ),
}


def test_a_pet_is_registered_through_the_mri_of_its_case_as_its_chain_says(
    model: Path, tmp_path: Path
) -> None:
    save_pair(tmp_path / "scans", "sub-1")
    save_pair(tmp_path / "scans", "sub-2", mri=False)
    known = package.load(model).manifest
    chains = {name: Preparation(chain=one, digest=one.digest) for name, one in THROUGH.items()}
    shapes = tuple(one.model_copy(update={"shape": (1, 20, 24, 24)}) for one in known.modalities)
    manifest = known.model_copy(update={"preparation": chains, "modalities": shapes})
    cohort = read_cohort(manifest, tmp_path / "scans", out=tmp_path)
    _, shelf, _ = stock(manifest, cohort, jobs=1, progress=unheard)
    words = {case: mine["pet"][0].record[0] for case, mine in shelf.items.items()}
    assert words["sub-1"].endswith("through mri")
    assert words["sub-2"].endswith("no mri used")


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
