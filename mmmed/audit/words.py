"""What a run found, in sentences and counts that a reader can check against its tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmmed.absence import Hiding
from mmmed.evaluation.text import NAMES, number, readable
from mmmed.record.table import MISSING, PARTS

Row = Mapping[str, Any]
Cells = Mapping[str, str]


@dataclass(frozen=True)
class Part:
    """One part of one fold, in counts.

    Attributes:
        fold: its name.
        split: `train`, `validation`, `calibration` or `test`.
        cases: how many.
        subjects: of how many people.
        labels: label -> cases.
    """

    fold: str
    split: str
    cases: int
    subjects: int
    labels: Mapping[str, int]


@dataclass(frozen=True)
class Absence:
    """What is missing of one modality in one part of one fold under one protocol.

    Attributes:
        protocol: its name.
        rate: as asked for; None without.
        fold: its name.
        hiding: the counts.
    """

    protocol: str
    rate: str | None
    fold: str
    hiding: Hiding


def parts(splits: Sequence[Cells], cases: Sequence[Cells]) -> list[Part]:
    """The parts of every fold."""
    label = {row["case_id"]: row["label"] for row in cases}
    grouped: dict[tuple[str, str], list[Cells]] = {}
    for row in splits:
        grouped.setdefault((row["fold"], row["split"]), []).append(row)
    return [
        Part(
            fold=fold,
            split=split,
            cases=len(rows),
            subjects=len({row["subject_id"] for row in rows}),
            labels=dict(
                sorted(Counter(label.get(row["case_id"], MISSING) for row in rows).items())
            ),
        )
        for (fold, split), rows in sorted(grouped.items(), key=lambda item: _place(*item[0]))
    ]


def absences(presence: Sequence[Cells]) -> list[Absence]:
    """What every protocol leaves out, part by part; of the first fold where there are several."""
    first = min((row["fold"] for row in presence), default="")
    grouped: dict[tuple[str, str, str], list[Cells]] = {}
    for row in presence:
        if row["fold"] == first:
            grouped.setdefault((row["protocol"], row["rate"], row["split"]), []).append(row)
    return [
        Absence(protocol, None if rate == MISSING else rate, first, hiding)
        for (protocol, rate, split), rows in grouped.items()
        for hiding in _hidings(split, rows)
    ]


def answer(rows: Sequence[Row], differences: Sequence[Row], *, metric: str = "auroc") -> list[str]:
    """What the run found, in plain words; empty where nothing was scored.

    Args:
        rows: of `metrics.json`.
        differences: of `metrics.json`.
        metric: the one that is spoken of.
    """
    scored = [row for row in rows if row["metric"] == metric and row["value"] is not None]
    if not scored:
        return []
    method = scored[0]["method"]
    mine = [row for row in scored if row["method"] == method]
    forced = readable(mine)
    told = {"observed", *(row["table"] for row in forced)}
    compared = [row for row in differences if row["metric"] == metric and row["table"] in told]
    return [
        *map(_forced, forced),
        *_ends([row for row in mine if row["table"] == "observed"]),
        *_against(compared, method),
        *(_remark(row) for row in scored if row["remark"]),
    ]


def _place(fold: str, split: str) -> tuple[str, int]:
    return fold, PARTS.index(split) if split in PARTS else len(PARTS)


def _hidings(split: str, rows: Sequence[Cells]) -> list[Hiding]:
    """The counts of every modality in one part, as its presence rows tell them."""
    status = {(row["case_id"], row["modality"]): row["status"] for row in rows}
    owned = Counter(case for (case, _), one in status.items() if one != "absent")
    found = []
    for modality in dict.fromkeys(row["modality"] for row in rows):
        mine = {case: one for (case, name), one in status.items() if name == modality}
        owners = [case for case, one in mine.items() if one != "absent"]
        found.append(
            Hiding(
                split=split,
                modality=modality,
                cases=len(mine),
                absent=len(mine) - len(owners),
                eligible=sum(owned[case] > 1 for case in owners),
                hidden=sum(one == "hidden" for one in mine.values()),
            )
        )
    return found


def _forced(row: Row) -> str:
    return (
        f"{row['method']}, every case showing {row['pattern']} only: {_score(row)} "
        f"in {row['n']} cases{_share(row)}."
    )


def _ends(rows: Sequence[Row]) -> list[str]:
    """The least and the most that a rated protocol hides."""
    rated = sorted((row for row in rows if row["rate"] is not None), key=lambda row: row["rate"])
    ends = [rated[0], rated[-1]] if len(rated) > 1 else rated
    return [
        f"{row['method']}, {row['rate']:.0%} hidden ({row['protocol']}): {_score(row)} in "
        f"{row['n']} cases, each under what it has{_share(row)}."
        for row in ends
    ]


def _against(differences: Sequence[Row], method: str) -> list[str]:
    chosen = [
        row
        for row in differences
        if method in (row["method"], row["against"])
        and row["value"] is not None
        and row["low"] is not None
    ]
    clear = [row for row in chosen if row["low"] > 0 or row["high"] < 0]
    if not chosen:
        return []
    pairs: dict[tuple[str, str], list[str]] = {}
    for row in clear:
        pairs.setdefault((row["method"], row["against"]), []).append(
            f"{_table(row)}: {NAMES[row['metric']]} {row['value']:+.3f} "
            f"[{row['low']:+.3f}, {row['high']:+.3f}]"
        )
    found = [f"{one} against {other}, {'; '.join(told)}." for (one, other), told in pairs.items()]
    unclear = f"{len(chosen) - len(clear)} of {len(chosen)} paired differences hold 0"
    return [*found, f"{unclear}. No correction for looking many times."]


def _remark(row: Row) -> str:
    alone = row["pattern_auroc"]
    said = f", {number(alone)} from the pattern alone" if alone is not None else ""
    return (
        f"{row['method']}, {_table(row)}: {row['remark']} (AUROC {number(row['value'])}, "
        f"{number(row['ceiling'])} attainable from images{said})."
    )


def _score(row: Row) -> str:
    interval = (
        f" (interval {number(row['low'])} to {number(row['high'])})"
        if row["low"] is not None
        else ""
    )
    return f"{NAMES[row['metric']]} {number(row['value'])}{interval}"


def _share(row: Row) -> str:
    if row["fraction"] is None:
        return ""
    return (
        f"; the best possible on these cases is {number(row['oracle'])}, so "
        f"{row['fraction']:.0%} of what can be had above chance"
    )


def _table(row: Row) -> str:
    rate = "" if row["rate"] is None else f" {row['rate']:.0%}"
    return f"{row['protocol']}{rate}, {row['pattern']}"
