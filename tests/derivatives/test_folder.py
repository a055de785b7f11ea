from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from heads import moved, planted
from PIL import Image

from mmmed import library
from mmmed.cohorts.bids import BidsCohort, read_bids
from mmmed.derivatives.folder import QUALITY, prepare_folder
from mmmed.errors import DataError, NothingReadable, StudyError
from mmmed.readers import template
from mmmed.readers.sidecar import declared_space
from mmmed.readers.source import Source
from mmmed.record import table
from mmmed.transforms.chain import load_chain
from mmmed.transforms.prepare import load, prepare

CHAINS = {"mri": "brain-mri", "pet": "brain-pet"}
MATRIX = planted((15, 5, -10), (20, -30, 25), 0.95)


def save(path: Path, data, affine):
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(np.asarray(data, np.float32), affine), path)


@pytest.fixture(scope="module")
def scans(tmp_path_factory):
    """Subject 1 lies off the template, subject 2 is a ball and a broken file."""
    root = tmp_path_factory.mktemp("data")
    for folder, suffix, like in (("anat", "T1w", "t1"), ("pet", "trc-18FFDG_pet", "pet")):
        head = moved(np.asarray(template.looks(like, 2.0)), template.grid(2.0).affine, MATRIX)
        save(root / "sub-1" / folder / f"sub-1_{suffix}.nii.gz", head.data[0], head.affine)
    ball = ((np.indices((40, 40, 40)) - 20) ** 2).sum(axis=0) < 14**2
    save(root / "sub-2" / "anat" / "sub-2_T1w.nii.gz", ball, np.diag([4.0, 4, 4, 1]))
    broken = root / "sub-2" / "pet" / "sub-2_trc-18FFDG_pet.nii.gz"
    broken.parent.mkdir()
    broken.write_bytes(b"<html>")
    (root / "participants.tsv").write_text(
        "participant_id\tdiagnosis\nsub-1\tCN\nsub-2\tAD\n", encoding="utf-8"
    )
    return root


def prepared(data, out, **options):
    return prepare_folder(data, out, chains=CHAINS, cohort="bids-scans", start=None, **options)


def bytes_of(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.*")}


@pytest.fixture(scope="module")
def out(scans, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out")
    assert str(prepared(scans, folder)) == "2 pass, 0 warn, 1 fail, 1 refused"
    return folder


def test_every_scan_has_a_row_and_only_what_passes_a_volume(out):
    rows = {
        (row["case_id"], row["modality"]): row for row in table.read(out / "quality.tsv", QUALITY)
    }
    verdicts = {key: row["verdict"] for key, row in rows.items()}
    assert verdicts == {
        ("sub-1", "mri"): "pass",
        ("sub-1", "pet"): "pass",
        ("sub-2", "mri"): "fail",
        ("sub-2", "pet"): "refused",
    }
    assert "similarity" in rows["sub-2", "mri"]["reason"]
    assert "web page" in rows["sub-2", "pet"]["reason"]
    assert str(out.parent) not in (out / "quality.tsv").read_text()
    assert sorted(path.name for path in out.rglob("*.nii.gz")) == [
        "sub-1_space-MNI152NLin2009aSym_T1w.nii.gz",
        "sub-1_trc-18FFDG_space-MNI152NLin2009aSym_pet.nii.gz",
    ]


def test_the_sidecar_says_what_was_done(out):
    path = out / "sub-1" / "anat" / "sub-1_space-MNI152NLin2009aSym_T1w.json"
    facts = json.loads(path.read_text())
    assert facts["Sources"] == ["sub-1/anat/sub-1_T1w.nii.gz"]
    assert [step.split(":")[0] for step in facts["Steps"]] == ["register", "to-template", "z-score"]
    assert facts["Quality"] == "pass"
    undone = np.asarray(facts["Map"]) @ MATRIX
    np.testing.assert_allclose(undone[:3, :3], np.eye(3), atol=0.03)


def test_the_output_is_data_again_and_stays_as_it_is(out, tmp_path):
    spec = BidsCohort.model_validate(
        {
            "kind": "bids",
            "root": out,
            "modalities": {"mri": {"kind": "volume", "datatype": "anat", "suffix": "T1w"}},
            "label": {"column": "diagnosis", "classes": ["CN", "AD"]},
        }
    )
    with pytest.raises(DataError, match="AD"):
        read_bids(spec, "again")
    source = read_bids(spec.model_copy(update={"label": None}), "again").cases[0].sources["mri"][0]
    assert declared_space(source.path) == "sidecar MNI152NLin2009aSym"
    chain = load_chain(library.find("transforms", "brain-mri", start=None))
    (item,) = prepare([Source(source.path)], chain, kind="volume", cache=tmp_path)
    assert item.record[0].startswith("register: skipped")
    assert item.record[1] == "to-template: skipped, lies on the grid"
    stored = nib.load(source.path).get_fdata()
    np.testing.assert_allclose(load(item)[0], stored, atol=1e-4)


def test_a_montage_shows_each_scan_that_was_placed(out):
    assert sorted(path.name for path in (out / "qc").iterdir()) == [
        "sub-1_T1w.png",
        "sub-1_trc-18FFDG_pet.png",
        "sub-2_T1w.png",
    ]
    with Image.open(out / "qc" / "sub-1_T1w.png") as picture:
        assert picture.size == (512, 576)
        assert "Software" not in picture.info


def test_processes_and_repetition_change_no_byte(scans, out, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.nii.gz")}
    prepared(scans, tmp_path / "two", jobs=2)
    assert bytes_of(tmp_path / "two") == bytes_of(out)
    prepared(scans, out)
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.nii.gz")} == before


def test_a_chain_that_does_not_register_is_refused(scans, tmp_path):
    with pytest.raises(StudyError, match="does not register"):
        prepare_folder(
            scans, tmp_path / "out", chains={"mri": "volume"}, cohort="bids-scans", start=None
        )


def test_the_data_are_never_written_over(scans):
    with pytest.raises(StudyError, match="is the data itself"):
        prepared(scans, scans)


def test_a_folder_without_a_usable_scan_is_nothing_readable(scans, tmp_path):
    data = tmp_path / "data"
    (data / "sub-2").mkdir(parents=True)
    (data / "sub-2" / "anat").symlink_to(scans / "sub-2" / "anat")
    with pytest.raises(NothingReadable, match="no scan can be used"):
        prepared(data, tmp_path / "out")
    assert (tmp_path / "out" / "quality.tsv").is_file()
