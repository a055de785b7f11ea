"""What the files of a series hold: frames, and files that cannot be used.

broken   a file that cannot be read, or says too little to be a slice

A broken file may have been any slice. Where exactly as many slices are missing as files are broken,
those stacks lack them and their siblings are whole; else no stack is known to be whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmmed.errors import DataError
from mmmed.readers.dicom.census import TAGS
from mmmed.readers.dicom.classic import WANTED, read_frame
from mmmed.readers.dicom.elements import Elements, read_elements
from mmmed.readers.dicom.enhanced import is_enhanced, read_frames
from mmmed.readers.dicom.frame import Frame
from mmmed.readers.dicom.grid import COUNT, read_grid, tiles_in_grid
from mmmed.readers.dicom.mosaic import is_mosaic, read_tiles
from mmmed.readers.dicom.split import Group

_WANTED = WANTED | TAGS | COUNT.tags


@dataclass(frozen=True)
class Contents:
    """What was found in the files of one series.

    Attributes:
        files: those that hold frames.
        frames: of all of them.
        broken: why each of the others cannot be used.
    """

    files: tuple[Elements, ...]
    frames: tuple[Frame, ...]
    broken: tuple[DataError, ...]

    def blamed(self, groups: Sequence[Group]) -> str:
        """What stands behind the slices that groups lack; '' where no file is broken.

        Raises:
            DataError: a broken file may belong to any of the groups.
        """
        if not self.broken:
            return ""
        first, count = self.broken[0], len(self.broken)
        if sum(group.lacking for group in groups) == count:
            return f"files that cannot be used: {count}, the first: {first}"
        raise type(first)(
            f"{first} (files that cannot be used: {count} of {count + len(self.files)}; slices of "
            "any stack may be missing)"
        )


def read_contents(paths: Sequence[Path]) -> Contents:
    """The frames in the files of a series.

    Raises:
        DataError: no file can be used; the first reason.
    """
    files: list[Elements] = []
    frames: list[Frame] = []
    broken: list[DataError] = []
    for path in paths:
        try:
            elements = read_elements(path, _WANTED)
            frames += _frames(elements)
        except DataError as error:
            broken.append(error)
        else:
            files.append(elements)
    if not files:
        raise broken[0]
    return Contents(tuple(files), tuple(frames), tuple(broken))


def _frames(elements: Elements) -> tuple[Frame, ...]:
    """What one file holds."""
    if is_enhanced(elements):
        return read_frames(elements)
    if is_mosaic(elements):
        return read_tiles(elements)
    return read_grid(elements) if tiles_in_grid(elements) > 1 else (read_frame(elements),)
