"""What a run found, in sentences and counts that a reader can check against its tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmmed.evaluation.text import number
from mmmed.record.table import MISSING

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
    """What is missing of one modality in one part under one protocol.

    Attributes:
        protocol: its name.
        rate: as asked for; None without.
        fold: its name.
        split: the part.
        modality: what is missing.
        cases: in the part.
        absent: that never had it.
        hidden: that own it and do not show it.
    """

    protocol: str
    rate: str | None
    fold: str
    split: str
    modality: str
    cases: int
    absent: int
    hidden: int

    @property
    def sentence(self) -> str:
        """`pet: 41 naturally absent, 130 of 259 hidden, 171 of 300 (57 %) without`."""
        missing = self.absent + self.hidden
        return (
            f"{self.modality}: {self.absent} naturally absent, {self.hidden} of "
            f"{self.cases - self.absent} hidden, {missing} of {self.cases} "
            f"({missing / self.cases:.0%}) without"
        )


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
    counts = Counter(
        (row["protocol"], row["rate"], row["split"], row["modality"], row["status"])
        for row in presence
        if row["fold"] == first
    )
    keys = dict.fromkeys(key[:4] for key in counts)
    return [
        Absence(
            protocol=protocol,
            rate=None if rate == MISSING else rate,
            fold=first,
            split=split,
            modality=modality,
            cases=sum(counts[(protocol, rate, split, modality, one)] for one in _STATUSES),
            absent=counts[(protocol, rate, split, modality, "absent")],
            hidden=counts[(protocol, rate, split, modality, "hidden")],
        )
        for protocol, rate, split, modality in keys
    ]


def answer(rows: Sequence[Row], differences: Sequence[Row]) -> list[str]:
    """What the run found, in plain words; empty where nothing was scored."""
    scored = [row for row in rows if row["metric"] == "auroc" and row["value"] is not None]
    if not scored:
        return []
    method = scored[0]["method"]
    mine = [row for row in scored if row["method"] == method]
    return [
        *(_forced(row) for row in mine if row["table"] == "forced"),
        *_ends([row for row in mine if row["table"] == "observed"]),
        *_against(differences, method),
        *(_remark(row) for row in scored if row["remark"]),
    ]


_STATUSES = ("shown", "hidden", "absent")
_SPLITS = ("train", "validation", "calibration", "test")


def _place(fold: str, split: str) -> tuple[str, int]:
    return fold, _SPLITS.index(split) if split in _SPLITS else len(_SPLITS)


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
        and row["metric"] == "auroc"
        and row["value"] is not None
        and row["low"] is not None
    ]
    clear = [row for row in chosen if row["low"] > 0 or row["high"] < 0]
    if not chosen:
        return []
    found = [
        f"{row['method']} against {row['against']}, {_table(row)}: AUROC "
        f"{row['value']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}]"
        for row in clear
    ]
    unclear = f"{len(chosen) - len(clear)} of {len(chosen)} paired differences hold 0"
    return [f"{'; '.join([*found, unclear])}. No correction for looking many times."]


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
    return f"AUROC {number(row['value'])}{interval}"


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
