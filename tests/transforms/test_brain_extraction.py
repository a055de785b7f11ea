"""How HD-BET is called and what is made of its answer.

HD-BET needs weights that are not here. A program with the options of its command (version 2.0.1)
stands in for it: what is shown is the contract with that command, not that HD-BET finds brains.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from mmmed.errors import DataError, MissingExtra, StudyError
from mmmed.readers import template
from mmmed.transforms import brain_extraction
from mmmed.transforms.apply import apply
from mmmed.transforms.brain_extraction import WEIGHTS, brain
from mmmed.transforms.chain import Chain
from mmmed.transforms.prepare import prepare
from mmmed.transforms.raster import Raster
from mmmed.transforms.step import BrainMask

STEP = BrainMask(kind="brain-mask", by="hd-bet")
CHAIN = Chain.model_validate({"item": "volume", "prepare": [STEP.model_dump()]})
STAND_IN = """#!{python}
import argparse, sys, time
import nibabel, numpy
parser = argparse.ArgumentParser(allow_abbrev=False)
for name in ("-i", "-o", "-device"):
    parser.add_argument(name, required=True)
for name in ("--disable_tta", "--save_bet_mask", "--no_bet_image"):
    parser.add_argument(name, action="store_true")
given = parser.parse_args()
assert given.device == "cpu" and given.save_bet_mask and given.o.endswith(".nii.gz")
image = nibabel.load(given.i)
mask = (image.get_fdata() > 0.3).astype("uint8")
{then}
nibabel.save(nibabel.Nifti1Image(mask, image.affine), given.o[:-7] + "_bet.nii.gz")
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder with a file where the weights belong."""
    weights = tmp_path / "home" / WEIGHTS
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"weights")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch, then: str = "") -> None:
    path = folder / "bin" / "hd-bet"
    path.parent.mkdir(exist_ok=True)
    path.write_text(STAND_IN.format(python=sys.executable, then=then))
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(path.parent))


def head() -> Raster:
    """The template under a map with shear, which NIfTI's readers in ITK refuse."""
    affine = template.grid(4.0).affine.copy()
    affine[0, 1] = 0.4
    return Raster(np.asarray(template.t1(4.0))[None], affine)


def test_without_its_command_the_extra_is_named(home, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingExtra, match=r"pip install 'mmmed\[hd-bet\]'"):
        prepare([], CHAIN, kind="volume", cache=tmp_path)


def test_without_its_weights_their_place_is_named_and_nothing_runs(home, monkeypatch, tmp_path):
    stand_in(tmp_path, monkeypatch, then="raise SystemExit('ran')")
    (home / WEIGHTS).unlink()
    with pytest.raises(StudyError, match=r"checkpoint_final\.pth is missing"):
        prepare([], CHAIN, kind="volume", cache=tmp_path)


def test_what_lies_outside_its_mask_becomes_zero(home, monkeypatch, tmp_path):
    stand_in(tmp_path, monkeypatch)
    scan = head()
    done = apply(scan, [STEP], space=None)
    np.testing.assert_array_equal(done.raster.data, np.where(scan.data > 0.3, scan.data, 0))
    np.testing.assert_array_equal(done.raster.affine, scan.affine)
    assert done.record[0].endswith("voxels kept by HD-BET")


@pytest.mark.parametrize(
    ("then", "reason"),
    [
        ("sys.exit('out of memory')", r"failed on it \(1: out of memory\)"),
        ("sys.exit(0)", "left no mask"),
        ("mask[:] = 0; mask[0] = 1", "a brain of 147 mL"),
        ("mask = mask[:-1]", r"a mask of \(39, 48, 48\)"),
    ],
)
def test_what_is_no_mask_of_a_brain_is_refused(home, monkeypatch, tmp_path, then, reason):
    stand_in(tmp_path, monkeypatch, then=then)
    with pytest.raises(DataError, match=reason):
        brain(head())


def test_a_command_that_hangs_is_ended(home, monkeypatch, tmp_path):
    stand_in(tmp_path, monkeypatch, then="time.sleep(600)")
    monkeypatch.setattr(brain_extraction, "SECONDS", 0.2)
    with pytest.raises(DataError, match="did not end"):
        brain(head())


def test_other_weights_make_another_chain(home, monkeypatch, tmp_path):
    stand_in(tmp_path, monkeypatch)
    before = CHAIN.digest
    (home / WEIGHTS).write_bytes(b"other weights")
    assert CHAIN.digest != before
