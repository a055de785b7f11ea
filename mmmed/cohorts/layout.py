"""Which way of keeping scans a folder follows, by what lies in it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from mmmed.cohorts.caps import SUBJECTS
from mmmed.cohorts.tree import subjects
from mmmed.errors import NothingReadable, StudyError

Layout = Literal["BIDS", "CAPS"]


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
