from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from mmmed.cli.app import exit_code
from mmmed.readers import template


@pytest.fixture
def scan(tmp_path):
    folder = tmp_path / "data" / "sub-1" / "anat"
    folder.mkdir(parents=True)
    image = nib.Nifti1Image(np.asarray(template.t1(4.0)), template.grid(4.0).affine)
    nib.save(image, folder / "sub-1_T1w.nii.gz")
    return tmp_path / "data"


def test_a_scan_is_prepared_and_counted(scan, tmp_path, capsys):
    out = tmp_path / "out"
    assert exit_code(["prepare", str(scan), "--out", str(out), "--jobs", "1"]) == 0
    assert capsys.readouterr().out.startswith("1 pass, 0 warn, 0 fail, 0 refused")
    assert list(out.rglob("sub-1_space-MNI152NLin2009aSym_T1w.nii.gz"))


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["--chain", "mri"], 2, "write modality=NAME"),
        (["--chain", "mri=volume"], 2, "does not register"),
        (["--cohort", "nothing"], 2, "nothing"),
    ],
)
def test_usage_is_told_in_one_line(scan, tmp_path, capsys, arguments, code, text):
    assert exit_code(["prepare", str(scan), "--out", str(tmp_path / "out"), *arguments]) == code
    complaint = capsys.readouterr().err
    assert text in complaint
    assert complaint.count("\n") == 1


def test_a_folder_that_is_not_there_is_nothing_readable(tmp_path):
    assert exit_code(["prepare", str(tmp_path / "no"), "--out", str(tmp_path / "out")]) == 3
