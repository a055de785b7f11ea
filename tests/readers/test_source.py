"""What a table may say of where an item comes from."""

from __future__ import annotations

import os
from pathlib import Path

from mmmed.readers.source import Source


def test_the_name_of_a_file_is_shown_also_where_it_is_no_text() -> None:
    assert Source(Path("in/a.nii.gz")).shown == "a.nii.gz"
    assert Source(Path(os.fsdecode(b"in/a\xff.nii"))).shown == r"a\xff.nii"


def test_files_of_a_series_are_counted_and_not_named() -> None:
    files = (Path("in/Doe/1.dcm"), Path("in/Doe/2.dcm"))
    assert Source(files[0], files=files).shown == "2 DICOM files"
