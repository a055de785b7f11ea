"""The folder that holds a cohort's files."""

from __future__ import annotations

from pathlib import Path

from mmmed.errors import NothingReadable, StudyError


def named_folder(root: Path | None, *, cohort: str, holds: str) -> Path:
    """The root of a cohort.

    Args:
        root: as its settings name it.
        cohort: its name.
        holds: what lies in such a folder, in words.

    Raises:
        StudyError: none is named.
        NothingReadable: it is no folder.
    """
    if root is None:
        raise StudyError(f"cohort {cohort}: name the folder of its {holds}: --set cohort.root=DIR")
    if not root.is_dir():
        raise NothingReadable(f"{root}: is no folder; name a folder of {holds}")
    return root
