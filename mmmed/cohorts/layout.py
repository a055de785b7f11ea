"""Which way of keeping scans a folder follows, by what lies in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Literal

from mmmed.cohorts.caps import SUBJECTS
from mmmed.cohorts.people import PEOPLE
from mmmed.cohorts.place import subjects
from mmmed.errors import NothingReadable, StudyError
from mmmed.readers.dicom.header import Header
from mmmed.readers.dicom.reading import read_header
from mmmed.readers.entities import VOLUME_ENDINGS

Layout = Literal["BIDS", "CAPS"]

MOST_ASKED = 200
"""Files below `sub-*` that are looked at before a folder is taken for BIDS or CAPS."""

_DESCRIBED = ("dataset_description.json", PEOPLE, SUBJECTS)
"""What a folder of DICOM files has not."""


def layout(root: Path) -> Layout:
    """BIDS where subjects lie in the folder itself, CAPS where they lie in `subjects`.

    Raises:
        NothingReadable: it is no folder, cannot be read, or holds no subject.
        StudyError: it is both.
    """
    if not root.is_dir():
        raise NothingReadable(f"{root}: is no folder; name a BIDS or CAPS folder")
    try:
        is_bids, is_caps = any(subjects(root)), any(subjects(root / SUBJECTS))
    except OSError as error:
        raise NothingReadable(f"{root}: cannot be read ({error.strerror})") from error
    if is_bids and is_caps:
        raise StudyError(
            f"{root}: holds sub-* as BIDS does and {SUBJECTS}/sub-* as CAPS does; name the way to "
            "read it: --cohort bids-ad or caps-ad"
        )
    if not is_bids and not is_caps:
        raise NothingReadable(
            f"{root}: holds no sub-* folder (BIDS) and no {SUBJECTS}/sub-* (CAPS); name such a "
            "folder, or the way to read it: --cohort NAME"
        )
    return "BIDS" if is_bids else "CAPS"


def may_be_dicom(root: Path) -> bool:
    """Whether a folder is neither BIDS nor CAPS, so that its files decide.

    Folders of DICOM may be named `sub-*` too: the first image in them tells.
    """
    try:
        if not any(subjects(root)) and not any(subjects(root / SUBJECTS)):
            return True
        if any((root / one).exists() for one in _DESCRIBED):
            return False
        return _first_is_dicom(root)
    except OSError:
        return False


def _first_is_dicom(root: Path) -> bool:
    for path in islice(_files(root), MOST_ASKED):
        if path.name.endswith(VOLUME_ENDINGS):
            return False
        if isinstance(read_header(root, str(path.relative_to(root))), Header):
            return True
    return False


def _files(root: Path) -> Iterator[Path]:
    for subject in subjects(root):
        for folder, folders, names in os.walk(subject):
            folders.sort()
            yield from (Path(folder, name) for name in sorted(names))
