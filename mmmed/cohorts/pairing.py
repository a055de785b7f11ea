"""Scans of several sessions as one case, by their dates.

anchor  the modality each scan of which makes a case
window  days that another modality's scan may lie before or after it

An anchor takes the nearest scan of another modality within the window, and a scan belongs to its
nearest anchor only (ties: the earlier). A scan that no anchor takes stays a case of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import Field

from mmmed.cohorts.acquired import scan_days
from mmmed.cohorts.assembly import ModalityName, Row
from mmmed.cohorts.cohort import EXCLUDED, OUTSIDE, Aside
from mmmed.config import Spec
from mmmed.readers.source import Source


class Pairing(Spec):
    """Which scans make one case.

    Attributes:
        anchor: the modality that makes a case.
        window_days: how far another modality's scan may be.
    """

    anchor: ModalityName
    window_days: Annotated[int, Field(ge=0)] = 180


@dataclass(frozen=True)
class _Scan:
    """The items of one modality of one row, and when they were taken."""

    row: Row
    modality: str
    items: tuple[Source, ...]
    day: date


def paired(rows: Sequence[Row], spec: Pairing, *, root: Path) -> tuple[list[Row], list[Aside]]:
    """The rows after scans went to their anchors, and what became of the others.

    The day of a scan is the `acq_time` of its file in `scans.tsv`, else that of its session. What
    has no day stays where it is.

    Args:
        rows: one per session.
        spec: anchor and window.
        root: the folder of the subjects, to which file names in `scans.tsv` do not reach up.
    """
    by_subject: dict[str, list[Row]] = {}
    for row in rows:
        by_subject.setdefault(row.subject, []).append(row)
    moved: list[Row] = []
    asides: list[Aside] = []
    for own in by_subject.values():
        days: dict[Path, date] = {}
        for row in own:
            days |= scan_days(root / row.subject / (row.session or ""), row.id)
        kept, aside = _of_subject(own, spec, days)
        moved += kept
        asides += aside
    return moved, asides


def _of_subject(
    rows: Sequence[Row], spec: Pairing, days: dict[Path, date]
) -> tuple[list[Row], list[Aside]]:
    scans = [
        _Scan(row, modality, items, day)
        for row in rows
        for modality, items in row.sources.items()
        if (day := days.get(items[0].path, row.day)) is not None
    ]
    anchors = [scan for scan in scans if scan.modality == spec.anchor]
    undated = {row.id for row in rows if spec.anchor in row.sources}
    undated -= {anchor.row.id for anchor in anchors}
    sources = {row.id: dict(row.sources) for row in rows}
    asides: list[Aside] = []
    for modality in sorted({scan.modality for scan in scans} - {spec.anchor}):
        free = [one for one in scans if one.modality == modality and one.row.id not in undated]
        asides += _assign(free, anchors, spec, sources)
    kept = [
        replace(row, sources=left, found=row.found and (bool(left) or not row.sources))
        for row in rows
        for left in [sources[row.id]]
    ]
    return kept, asides


def _assign(
    scans: Sequence[_Scan],
    anchors: Sequence[_Scan],
    spec: Pairing,
    sources: dict[str, dict[str, tuple[Source, ...]]],
) -> list[Aside]:
    """Give scans of one modality to their anchors, in `sources`; what becomes of the others."""
    wanted: dict[str, list[_Scan]] = {anchor.row.id: [] for anchor in anchors}
    lone: list[_Scan] = []
    for scan in scans:
        nearest = _nearest(scan, anchors)
        if nearest is None or _apart(scan, nearest) > spec.window_days:
            lone.append(scan)
        else:
            wanted[nearest.row.id].append(scan)
    for scan in scans:
        del sources[scan.row.id][scan.modality]
    asides: list[Aside | None] = []
    for scan in lone:
        if scan.row.id not in wanted:
            sources[scan.row.id][scan.modality] = scan.items
    for anchor in anchors:
        chosen = _nearest(anchor, wanted[anchor.row.id])
        if chosen is not None:
            sources[anchor.row.id][chosen.modality] = chosen.items
            asides += [_taken(one, chosen, anchor) for one in wanted[anchor.row.id]]
        elif scans:
            asides.append(_outside(anchor, _nearest(anchor, scans), spec))
    return [aside for aside in asides if aside is not None]


def _nearest(to: _Scan, among: Sequence[_Scan]) -> _Scan | None:
    return min(among, key=lambda one: (_apart(one, to), one.day, one.row.id), default=None)


def _apart(one: _Scan, other: _Scan) -> int:
    return abs((one.day - other.day).days)


def _taken(scan: _Scan, chosen: _Scan, anchor: _Scan) -> Aside | None:
    """Why a scan is not where it was found; None for one that stays."""
    if scan.row.id == anchor.row.id and scan is chosen:
        return None
    if scan is chosen:
        reason = f"makes one case with {anchor.row.session}, {_apart(scan, anchor)} days away"
    else:
        reason = f"{chosen.row.session} has one nearer to {anchor.row.session}"
    row = scan.row
    return Aside(row.id, row.subject, row.session, scan.modality, EXCLUDED, reason)


def _outside(anchor: _Scan, nearest: _Scan | None, spec: Pairing) -> Aside | None:
    if nearest is None:
        return None
    row = anchor.row
    reason = (
        f"the nearest, of {nearest.row.session}, is {_apart(nearest, anchor)} days away; "
        f"{spec.window_days} are allowed"
    )
    return Aside(row.id, row.subject, row.session, nearest.modality, OUTSIDE, reason)
