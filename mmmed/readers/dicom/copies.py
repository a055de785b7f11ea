"""Files that hold the same SOP instance.

copy   a file whose bytes are those of another one; the first by path is kept. Files above `LARGEST`
       are compared by nobody

Two files that claim one instance and differ are no copies: both stay, and the series they belong
to is judged with them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from mmmed.readers.dicom.aside import Aside
from mmmed.readers.dicom.header import Header
from mmmed.readers.dicom.line import shown_path
from mmmed.record import digest

LARGEST = 4 << 30
"""Bytes of a file that is compared: more than the pixels of the largest volume that is read."""


def without_copies(root: Path, headers: Iterable[Header]) -> tuple[list[Header], list[Aside]]:
    """The headers without those of copies, and a line for each copy."""
    kept: list[Header] = []
    copies: list[Aside] = []
    for same in _alike(headers):
        first_with: dict[str, Header] = {}
        for one in sorted(same, key=lambda header: header.path):
            first = first_with.setdefault(_content(root, one, alone=len(same) == 1), one)
            if first is one:
                kept.append(one)
            else:
                copies.append(_line(one, first))
    return kept, copies


def _alike(headers: Iterable[Header]) -> Iterable[list[Header]]:
    """Headers that claim one instance in as many bytes together; one without UID stands alone."""
    found: dict[tuple[str | int, ...], list[Header]] = defaultdict(list)
    for one in headers:
        known = one.instance and one.size <= LARGEST
        instance = one.instance if known else f"/{one.path}"
        found[(one.study, one.series, instance, one.size)].append(one)
    return found.values()


def _content(root: Path, one: Header, *, alone: bool) -> str:
    """What tells the bytes of files apart; not read where there is nothing to compare with."""
    if alone:
        return ""
    try:
        return digest.of_file(root / one.path)
    except OSError:
        return f"/{one.path}"


def _line(copy: Header, first: Header) -> Aside:
    return Aside(
        path=shown_path(copy.path),
        verdict="set-aside",
        code="copy",
        text=f"is a copy of {shown_path(first.path)}, byte by byte",
        sop_class=copy.sop_class,
        study=copy.study,
        series=copy.series,
        modality=copy.modality,
    )
