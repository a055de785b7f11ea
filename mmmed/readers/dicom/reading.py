"""One file of any kind -> its header, or why it is set aside.

The plain walk over the bytes reads what scanners and archives write; what it finds odd is parsed by
pydicom (`odd`). Both see at most `LARGEST_HEADER` bytes, so that no file costs more than that.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mmmed.errors import DataError
from mmmed.readers.dicom import directory, odd, sop_class
from mmmed.readers.dicom.aside import Aside, Verdict
from mmmed.readers.dicom.header import SERIES, SOP_CLASS, STUDY, WANTED, Header, header
from mmmed.readers.dicom.line import one_line, shown_path
from mmmed.readers.dicom.stream import (
    BROKEN,
    LARGEST_HEADER,
    beginning,
    foreign,
    inflated,
    opened_content,
)
from mmmed.readers.dicom.syntax import EXPLICIT_BIG, syntax
from mmmed.readers.dicom.walk import Odd, Short, Walk

_ENOUGH = frozenset({SOP_CLASS, STUDY, SERIES})
"""Without these a header that could be walked through is looked at by pydicom too."""

_OF_DIRECTORY = b"\4\0"
"""Group 0004, which a DICOMDIR alone has (PS3.3, F.3)."""

_BEHIND = max(WANTED) + 1
"""Where a walk may end."""

READS = 100_000
"""Reads that pydicom may take, three or four per element; a second of work."""


def read_header(root: Path, path: str) -> Header | Aside:
    """The header of a file that belongs to a volume, or why the file is set aside.

    Args:
        root: the folder that is read.
        path: of the file in it.
    """
    whole = f"{root}{os.sep}{path}"  # as text: a Path takes a tenth of the time of a file
    try:
        state = os.stat(whole)  # noqa: PTH116
        if not stat.S_ISREG(state.st_mode):
            return _aside(path, "set-aside", "no-file", "is a device, pipe or socket")
        if state.st_size == 0:
            return _aside(path, "unreadable", "empty", "is empty; copy the file again")
        with open(whole, "rb", buffering=0) as file:  # noqa: PTH123
            return _read(file, path, state, root=root)
    except FileNotFoundError:
        text = "is a broken link" if Path(whole).is_symlink() else "is not there any more"
        return _aside(path, "unreadable", "not-there", f"{text}; fetch the file")
    except BROKEN as error:
        reason = getattr(error, "strerror", None) or f"damaged: {_damage(error)}"
        return _aside(path, "unreadable", "cannot-read", f"cannot be read ({reason})")


def _damage(error: Exception) -> str:
    behind = "Not a gzipped file" in str(error)
    return "something else stands behind its gzip data" if behind else str(error)


def _read(file: BinaryIO, path: str, state: os.stat_result, *, root: Path) -> Header | Aside:
    stream, data = beginning(file)
    written = syntax(data)
    if written is None:
        return _aside(path, "set-aside", "not-dicom", foreign(data))
    start = written.start
    if written.media_class == directory.CLASS or data[start : start + 2] == _OF_DIRECTORY:
        family = sop_class.family(directory.CLASS)
        return _aside(path, "set-aside", family.code, f"is {family.text}", sop=directory.CLASS)
    if written.deflated:
        stream, data, start = inflated(stream, begun=data[start:], whole=False), b"", 0
    walk = Walk(stream, explicit=written.explicit, limit=LARGEST_HEADER, data=data, place=start)
    followed = written.plain and _followed(walk)
    said = _Said(walk.found) if followed else _parsed(root / path, walk.found)
    found = header(
        said.values, path=path, size=state.st_size, modified=state.st_mtime_ns, little=said.little
    )
    return _judged(found, media_class=written.media_class, fault=said.fault)


@dataclass(frozen=True)
class _Said:
    """Values of a header, the order of bytes of binary ones, and why others may be missing."""

    values: Mapping[int, bytes]
    little: bool = True
    fault: str = ""


def _followed(walk: Walk) -> bool:
    """Whether the walk finds what makes a header; one cut off behind that is still one."""
    try:
        walk.values(WANTED, until=_BEHIND)
    except Short:
        pass
    except Odd:
        return False
    return walk.found.keys() >= _ENOUGH


def _parsed(whole: Path, walked: Mapping[int, bytes]) -> _Said:
    """The same by pydicom; what was walked over where it cannot parse the file."""
    try:
        with opened_content(whole) as content:
            found = odd.parsed(content, until=_BEHIND, wanted=WANTED, reads=READS)
    except DataError as error:
        return _Said(walked, fault=str(error).removeprefix(f"{whole}: "))
    values = {tag: odd.stored(found.data_set, tag) for tag in WANTED if tag in found.data_set}
    return _Said(values, found.syntax != EXPLICIT_BIG, found.fault)


def _judged(found: Header, *, media_class: str, fault: str) -> Header | Aside:
    """The header where its file is part of a volume and says of which."""
    claimed = found.sop_class or media_class
    family = sop_class.family(claimed)
    if claimed and family is not sop_class.VOLUME:
        text = f"is {family.text}: {one_line(sop_class.name(claimed), longest=80)}"
        return _about(found, "set-aside", family.code, text, sop=claimed)
    why = f": {fault}" if fault else ""
    if not (claimed or found.study or found.series or found.modality):
        text = f"begins like DICOM and says nothing of itself{why or ': truncated, or no image'}"
        return _about(found, "unreadable", "no-header", text)
    named = {
        "SOP Class UID (0008,0016)": claimed,
        "Study Instance UID (0020,000D)": found.study,
        "Series Instance UID (0020,000E)": found.series,
    }
    lacking = [name for name, value in named.items() if not value]
    if lacking and fault:
        text = f"is damaged DICOM, {' and '.join(lacking)} cannot be found{why}; copy it again"
        return _about(found, "unreadable", "malformed", text, sop=claimed)
    if not claimed:
        text = "states no SOP Class UID (0008,0016), so what it is is unknown"
        return _about(found, "unreadable", "no-sop-class", text)
    if lacking:
        text = f"has no valid {' and no valid '.join(lacking)}, so whose slice it is is unknown"
        return _about(found, "unreadable", "no-series", text, sop=claimed)
    return found


def _about(found: Header, verdict: Verdict, code: str, text: str, *, sop: str = "") -> Aside:
    return Aside(
        path=shown_path(found.path),
        verdict=verdict,
        code=code,
        text=text,
        sop_class=sop or found.sop_class,
        study=found.study,
        series=found.series,
        modality=found.modality,
    )


def _aside(path: str, verdict: Verdict, code: str, text: str, *, sop: str = "") -> Aside:
    return Aside(shown_path(path), verdict, code, one_line(text, longest=300), sop_class=sop)
