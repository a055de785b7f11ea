from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from mmmed import library
from mmmed.errors import DataError
from mmmed.readers import template
from mmmed.readers.source import Source
from mmmed.transforms.chain import load_chain
from mmmed.transforms.inspection import checked, montage
from mmmed.transforms.prepare import prepare
from mmmed.transforms.prepared import Prepared, Refused
from mmmed.transforms.quality import Quality

CHAIN = load_chain(library.find("transforms", "brain-mri", start=None))


def prepared(source, cache):
    (outcome,) = prepare([source], CHAIN, kind="volume", cache=cache)
    return outcome


def picture(outcome):
    return np.asarray(Image.open(io.BytesIO(montage(outcome, "t1", name="sub-1"))).convert("RGB"))


def test_a_scan_that_was_taken_at_its_word_is_checked_and_drawn_where_it_declares(
    save_volume, tmp_path
):
    outcome = prepared(save_volume(data=np.asarray(template.t1(4.0))), tmp_path)
    assert isinstance(outcome, Prepared)
    placed = checked(outcome, "t1")
    assert np.array_equal(placed.matrix, np.eye(4))
    assert Quality(placed.checks).verdict == "pass"
    assert picture(outcome).shape == (576, 512, 3)


def test_a_scan_that_failed_is_drawn_where_it_was_put(save_volume, tmp_path):
    outcome = prepared(save_volume(space=None), tmp_path)
    assert isinstance(outcome, Refused)
    assert checked(outcome, "t1") == outcome.placed
    assert picture(outcome).std() > 0


def test_what_was_never_placed_has_no_picture(tmp_path):
    outcome = prepared(Source(tmp_path / "sub-9_T1w.nii.gz"), tmp_path)
    with pytest.raises(DataError, match="is not there"):
        montage(outcome, "t1", name="sub-9")
