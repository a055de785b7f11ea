"""Every file below a folder, whatever it is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from mmmed.cohorts.cohort import Fault


def files_below(root: Path, faults: list[Fault]) -> Iterator[Path]:
    """Every file, folder by folder, names in order; hidden ones are none.

    No link is followed into a folder.

    Args:
        root: the folder.
        faults: takes a line for each folder that cannot be read.
    """

    def closed(error: OSError) -> None:
        where = Path(error.filename).relative_to(root)
        faults.append(Fault(str(where), None, f"cannot be read ({error.strerror}); left out"))

    for folder, folders, names in os.walk(root, onerror=closed):
        folders.sort()
        yield from (Path(folder, name) for name in sorted(names) if not name.startswith("."))
