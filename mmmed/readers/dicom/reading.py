"""One file of any kind -> its header, or why it is set aside.

The plain walk over the bytes reads what scanners and archives write; what it finds odd is parsed by
pydicom. Both see at most `LARGEST_HEADER` bytes, so that no file costs more than that.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from mmmed.errors import DataError
from mmmed.readers.dicom import odd, sop_class
from mmmed.readers.dicom.aside import Aside, Verdict
from mmmed.readers.dicom.header import SERIES, SOP_CLASS, STUDY, WANTED, Header, header
from mmmed.readers.dicom.line import one_line, shown_path
from mmmed.readers.dicom.stream import BROKEN, LARGEST_HEADER, beginning, inflated
from mmmed.readers.dicom.syntax import syntax
from mmmed.readers.dicom.walk import Odd, Short, Walk
from mmmed.readers.opening import impostor

_DIRECTORY = "1.2.840.10008.1.3.10"
_ENOUGH = frozenset({SOP_CLASS, STUDY, SERIES})
"""Without these a header that could be walked through is looked at by pydicom too."""

_BEHIND = max(WANTED) + 1
"""Where a walk may end."""


def read_header(root: Path, path: str) -> Header | Aside:
    """The header of a file that belongs to a volume, or why the file is set aside.

    Args:
        root: the folder that is read.
        path: of the file in it.
    """
    whole = Path(root, path)
    try:
        state = whole.stat()
        if not stat.S_ISREG(state.st_mode):
            return _aside(path, "set-aside", "no-file", "is a device, pipe or socket")
        if state.st_size == 0:
            return _aside(path, "unreadable", "empty", "is empty; copy the file again")
        with whole.open("rb", buffering=0) as file:
            return _read(file, path, state)
    except FileNotFoundError:
        text = "is a broken link" if whole.is_symlink() else "is not there any more"
        return _aside(path, "unreadable", "not-there", f"{text}; fetch the file")
    except BROKEN as error:
        reason = getattr(error, "strerror", None) or f"damaged: {error}"
        return _aside(path, "unreadable", "cannot-read", f"cannot be read ({reason})")


def _read(file: BinaryIO, path: str, state: os.stat_result) -> Header | Aside:
    stream, data = beginning(file)
    written = syntax(data)
    if written is None:
        other = impostor(data[:256]) or "is no DICOM file"
        return _aside(path, "set-aside", "not-dicom", other)
    if written.media_class == _DIRECTORY:
        family = sop_class.family(_DIRECTORY)
        return _aside(path, "set-aside", family.code, f"is {family.text}", sop=_DIRECTORY)
    start = written.start
    if written.deflated:
        stream, data, start = inflated(stream, begun=data[start:], whole=False), b"", 0
    walk = Walk(stream, explicit=written.explicit, limit=LARGEST_HEADER, data=data, place=start)
    if written.plain and _followed(walk):
        values, little, fault = walk.found, True, ""
    else:
        values, little, fault = _parsed(walk, deflated=written.deflated)
    found = header(values, path=path, size=state.st_size, modified=state.st_mtime_ns, little=little)
    return _judged(found, media_class=written.media_class, fault=fault)


def _followed(walk: Walk) -> bool:
    """Whether the walk finds what makes a header; one cut off behind that is still one."""
    try:
        walk.values(WANTED, until=_BEHIND)
    except Short:
        pass
    except Odd:
        return False
    return walk.found.keys() >= _ENOUGH


def _parsed(walk: Walk, *, deflated: bool) -> tuple[dict[int, bytes], bool, str]:
    """The values by pydicom, whether binary ones are little-endian, and what is wrong with them."""
    try:
        values, little = odd.parse(walk.rest(), wanted=WANTED, deflated=deflated)
    except DataError as error:
        return walk.found, True, str(error)
    return values, little, ""


def _judged(found: Header, *, media_class: str, fault: str) -> Header | Aside:
    """The header where its file is part of a volume and says of which."""
    claimed = found.sop_class or media_class
    family = sop_class.family(claimed)
    if claimed and family is not sop_class.VOLUME:
        text = f"is {family.text}: {one_line(sop_class.name(claimed), longest=80)}"
        return _about(found, "set-aside", family.code, text, sop=claimed)
    if fault:
        text = f"is damaged DICOM, its header cannot be parsed ({fault}); copy the file again"
        return _about(found, "unreadable", "malformed", text, sop=claimed)
    if not (claimed or found.study or found.series or found.modality):
        text = "begins like DICOM and says nothing of itself: truncated, or no image"
        return _about(found, "unreadable", "no-header", text)
    if not claimed:
        text = "states no SOP Class UID (0008,0016), so what it is is unknown"
        return _about(found, "unreadable", "no-sop-class", text)
    named = {
        "Study Instance UID (0020,000D)": found.study,
        "Series Instance UID (0020,000E)": found.series,
    }
    lacking = [name for name, value in named.items() if not value]
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
