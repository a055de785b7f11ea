from __future__ import annotations

import pytest

from mmmed.cohorts.layout import layout
from mmmed.errors import NothingReadable, StudyError


def test_bids_and_caps_are_told_apart_by_where_subjects_lie(bids, caps):
    assert layout(bids.root) == "BIDS"
    assert layout(caps.root) == "CAPS"


def test_a_folder_that_is_both_is_refused(bids):
    (bids.root / "subjects" / "sub-1").mkdir(parents=True)
    with pytest.raises(StudyError, match="--cohort bids-ad or caps-ad"):
        layout(bids.root)


def test_a_folder_that_is_neither_is_nothing_readable(tmp_path):
    with pytest.raises(NothingReadable, match=r"holds no sub-\* folder"):
        layout(tmp_path)
    with pytest.raises(NothingReadable, match="is no folder"):
        layout(tmp_path / "gone")
