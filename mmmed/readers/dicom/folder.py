"""The files of a folder in any nesting, each once.

Links are followed after the real folders, and no folder is entered twice, so that loops end. What
cannot be entered is a line and stops nothing.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from mmmed.readers.dicom.aside import Aside
from mmmed.readers.dicom.line import shown_path


@dataclass
class Listing:
    """What a folder holds.

    Attributes:
        files: paths relative to the folder, sorted.
        aside: folders that were not entered.
    """

    files: list[str] = field(default_factory=list)
    aside: list[Aside] = field(default_factory=list)


def list_files(root: Path) -> Listing:
    """Every file below a folder, links followed."""
    listing = Listing()
    entered: set[tuple[int, int]] = set()
    folders, links = [""], list[str]()
    while folders or links:
        folder = folders.pop() if folders else links.pop(0)
        try:
            state = (root / folder).stat()
            if (state.st_dev, state.st_ino) in entered:
                text = "is a link to a folder that is read elsewhere"
                listing.aside.append(Aside(shown_path(folder), "set-aside", "link-loop", text))
                continue
            entered.add((state.st_dev, state.st_ino))
            with os.scandir(root / folder) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            text = f"is a folder that cannot be read ({error.strerror}); what it holds is unknown"
            name = shown_path(folder or ".")
            listing.aside.append(Aside(name, "unreadable", "folder-closed", text))
            continue
        for entry in reversed(found):
            path = str(PurePath(folder, entry.name))
            if not _is_folder(entry):
                listing.files.append(path)
            elif entry.is_symlink():
                links.append(path)
            else:
                folders.append(path)
    listing.files.sort()
    return listing


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
