from __future__ import annotations

import pytest
from slices import headers, save, stored

from mmmed.cohorts.layout import layout, may_be_dicom
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


def test_a_folder_of_dicom_may_call_its_folders_as_bids_does(bids, caps, tmp_path):
    save(headers(stored()), tmp_path / "sub-1" / "mr")
    (tmp_path / "sub-1" / "a.txt").write_text("no DICOM")
    assert may_be_dicom(tmp_path)
    assert not may_be_dicom(bids.root)
    assert not may_be_dicom(caps.root)


def test_a_dataset_that_describes_itself_is_no_folder_of_dicom(tmp_path):
    save(headers(stored()), tmp_path / "sub-1" / "anat")
    (tmp_path / "dataset_description.json").write_text("{}")
    assert not may_be_dicom(tmp_path)
