"""What a DICOMDIR lists, held against the files that were found.

file ID   names of folders, then of a file, below the folder of the DICOMDIR (PS3.10, section 8)

A listed name is compared with the names of files that are read anyway. It is never opened, so that
no list leads out of the folder; files that no list names are read all the same.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from mmmed.errors import DataError
from mmmed.readers.dicom import odd
from mmmed.readers.dicom.aside import Aside
from mmmed.readers.dicom.damage import DAMAGED
from mmmed.readers.dicom.line import one_line, shown_path
from mmmed.readers.dicom.stream import LARGEST_HEADER, opened_content
from mmmed.readers.silence import silent

CLASS = "1.2.840.10008.1.3.10"
"""Media Storage SOP Class UID of a DICOMDIR."""

SHOWN = 3
"""Names that a line gives."""

_RECORDS, _FILE_ID = 0x00041220, 0x00041500

_ZEROS = 1 << 10
"""Zeros at its end that are taken for values; further ones fill the sectors of a disc."""


def not_there(root: Path, files: Iterable[str], *, directories: Iterable[str]) -> list[Aside]:
    """A line for each DICOMDIR that lists files which are not there, or lists what cannot be read.

    Args:
        root: the folder that is read.
        files: all that was found in it, relative to it.
        directories: those among them that are a DICOMDIR.
    """
    lists = list(directories)
    known = {_folded(PurePosixPath(one)) for one in files} if lists else set()
    return [line for path in lists for line in _checked(root, path, known)]


def _checked(root: Path, path: str, known: set[str]) -> list[Aside]:
    try:
        listed = _listed(root / path)
    except DataError as error:
        text = f"is a DICOMDIR whose list cannot be read: {error}"
        return [_line(path, "malformed", text.replace(f"{root / path}: ", ""))]
    folder = PurePosixPath(path).parent
    inside = [one for one in listed if _is_inside(one)]
    outside = ["/".join(one) for one in listed if not _is_inside(one)]
    lost = ["/".join(one) for one in inside if _folded(folder.joinpath(*one)) not in known]
    found = []
    if lost:
        text = f"lists {_counted(lost)} not there: {_named(lost)}; copy them"
        found.append(_line(path, "not-there", text))
    if outside:
        text = f"lists {_counted(outside)} not below its folder, where none is looked for: "
        found.append(_line(path, "outside", text + _named(outside)))
    return found


def _listed(path: Path) -> list[tuple[str, ...]]:
    """The different file IDs of a DICOMDIR, in their order.

    Raises:
        DataError: it cannot be read.
    """
    with opened_content(path) as content:
        data = content.stream.read(LARGEST_HEADER)
        kept = io.BytesIO(data[: len(data.rstrip(b"\0")) + _ZEROS])
        parsed = odd.parsed(replace(content, stream=kept), until=_RECORDS + 1, wanted={_RECORDS})
    if parsed.fault and not _is_whole(parsed.data_set):
        raise DataError(parsed.fault)
    try:
        with silent():
            records = parsed.data_set.get(BaseTag(_RECORDS))
            items = [] if records is None else list(records.value or [])
            values = [one.get_item(BaseTag(_FILE_ID), keep_deferred=True) for one in items]
    except DAMAGED as error:
        raise DataError(one_line(str(error))) from error
    texts = [bytes(one.value or b"") for one in values if one is not None]
    split = (tuple(part.strip() for part in text.decode("latin-1").split("\\")) for text in texts)
    return list(dict.fromkeys(one for one in split if any(one)))


def _is_whole(data_set: Dataset) -> bool:
    """Whether all of the records were found; what is odd stands behind them then."""
    if BaseTag(_RECORDS) not in data_set:
        return False
    records: Any = data_set.get_item(BaseTag(_RECORDS), keep_deferred=True)
    if isinstance(records, RawDataElement):
        return 0 < records.length <= len(records.value or b"")
    return bool(records.value)


def _is_inside(names: Sequence[str]) -> bool:
    """Whether these are plain names: none empty, none that leads elsewhere."""
    return all(one.strip(" .\0") and "/" not in one for one in names)


def _folded(path: PurePosixPath) -> str:
    """A path as it stands on any disc: ISO 9660 may turn letters small and add a version."""
    return str(path).casefold().removesuffix(";1").rstrip(".\0 ")


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(one_line(one, longest=60) for one in names[:SHOWN])
    return shown if len(names) <= SHOWN else f"{shown}, ..."


def _counted(names: Sequence[str]) -> str:
    return "1 file that is" if len(names) == 1 else f"{len(names)} files that are"


def _line(path: str, code: str, text: str) -> Aside:
    shown = one_line(text, longest=300)
    return Aside(shown_path(path), "unreadable", code, shown, sop_class=CLASS)
