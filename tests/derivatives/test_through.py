"""`prepare` of PETs that are registered through their MRI, where they have one."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest
from heads import save_pair

from mmmed.derivatives.folder import prepare_folder
from mmmed.errors import StudyError
from mmmed.readers import template

CHAIN = """mmmed: 1
item: volume
prepare:
  - {kind: register, template: pet, through: mri}
  - {kind: to-template, voxel_mm: 8}
"""


@pytest.fixture(scope="module")
def facts(tmp_path_factory):
    """The sidecar of each PET: beside an MRI, alone, and beside one that is broken."""
    root = tmp_path_factory.mktemp("through")
    (root / "through.yaml").write_text(CHAIN)
    save_pair(root / "data", "sub-1")
    save_pair(root / "data", "sub-2", mri=False)
    save_pair(root / "data", "sub-3")
    (root / "data/sub-3/anat/sub-3_T1w.nii.gz").write_bytes(b"<html>")
    chains = {"mri": "brain-mri", "pet": str(root / "through.yaml")}
    told = prepare_folder(root / "data", root / "out", chains=chains, cohort=None, start=None)
    assert str(told) == "4 pass, 0 warn, 0 fail, 1 refused"
    return {path.name[:5]: json.loads(path.read_text()) for path in root.glob("out/*/pet/*.json")}


def test_a_chain_through_what_is_not_prepared_is_refused(tmp_path):
    (tmp_path / "through.yaml").write_text(CHAIN)
    chains = {"pet": str(tmp_path / "through.yaml")}
    with pytest.raises(StudyError, match="through mri, which is not prepared"):
        prepare_folder(tmp_path, tmp_path / "out", chains=chains, cohort=None, start=None)


def test_the_sidecar_names_the_mri_that_a_pet_went_through(facts):
    assert facts["sub-1"]["Through"] == ["sub-1/anat/sub-1_T1w.nii.gz"]
    assert facts["sub-1"]["Steps"][0].endswith("through mri")
    assert all("Through" not in facts[case] for case in ("sub-2", "sub-3"))


def test_without_an_mri_a_pet_finds_its_own_place_and_says_so(facts):
    assert facts["sub-2"]["Steps"][0].endswith("no mri used")
    assert not np.array_equal(facts["sub-2"]["Map"], facts["sub-1"]["Map"])


def test_an_mri_that_cannot_be_used_leaves_the_pet_as_if_there_were_none(facts):
    assert facts["sub-3"]["Map"] == facts["sub-2"]["Map"]
    said = facts["sub-3"]["Steps"][-1]
    assert said.startswith("register: mri not used: sub-3_T1w.nii.gz: ")
    assert "web page" in said


def test_another_place_of_the_mri_is_another_place_of_the_pet(tmp_path):
    """A second call finds the PET written, and its MRI moved by less than any figure shows."""
    (tmp_path / "through.yaml").write_text(CHAIN)
    save_pair(tmp_path / "data", "sub-1")
    scan = tmp_path / "data/sub-1/anat/sub-1_T1w.nii.gz"
    scan.with_name("sub-1_T1w.json").write_text('{"SpatialReference": "MNI152Lin"}')
    grid = template.grid(4.0)
    lifts = []
    for shift in (0.0, 0.02):
        affine = grid.affine.copy()
        affine[2, 3] += shift
        nib.save(nib.Nifti1Image(np.asarray(template.t1(4.0)), affine), scan)
        chains = {"mri": "brain-mri", "pet": str(tmp_path / "through.yaml")}
        prepare_folder(tmp_path / "data", tmp_path / "out", chains=chains, cohort=None, start=None)
        (sidecar,) = tmp_path.glob("out/*/pet/*.json")
        lifts.append(json.loads(sidecar.read_text())["Map"][2][3])
    assert lifts[0] != lifts[1]
