"""`qc/` and `quality.tsv`: the scans of a cohort, each with its checks and its picture.

Only chains that register know where a scan lies; scans of other chains have neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from joblib import Parallel, delayed

from mmmed.errors import DataError
from mmmed.progress import Progress
from mmmed.readers.dicom.line import reason_line
from mmmed.readers.source import Source
from mmmed.readers.template import Like
from mmmed.record import atomic, table
from mmmed.record.table import Cell, Schema
from mmmed.transforms.chain import Chain
from mmmed.transforms.inspection import checked, montage
from mmmed.transforms.prepared import Prepared, Refused
from mmmed.transforms.quality import LIMITS, Quality

QUALITY = Schema(
    "mmmed-quality",
    1,
    ("case_id", "modality", "source", "verdict", *LIMITS, "output", "montage", "reason"),
    ("case_id", "modality", "source"),
)
FOLDER = "qc"


@dataclass(frozen=True)
class Scan:
    """One item of a case that a chain placed, or tried to.

    Attributes:
        case: whose it is.
        modality: which of the study's it is.
        number: which of the case's items of that modality, from 1.
        like: what its chain takes it for.
        outcome: of its preparation.
    """

    case: str
    modality: str
    number: int
    like: Like
    outcome: Prepared | Refused

    @property
    def name(self) -> str:
        """`sub-1_ses-2_mri`, of further items `sub-1_ses-2_mri-2`."""
        more = f"-{self.number}" if self.number > 1 else ""
        return f"{self.case}_{self.modality}{more}"


def scans(
    owned: Iterable[tuple[str, str, Sequence[Source]]],
    chains: Mapping[str, Chain],
    outcomes: Mapping[tuple[str, Source], Prepared | Refused],
) -> tuple[Scan, ...]:
    """The scans that can be shown.

    Args:
        owned: case, modality and its items, in any order.
        chains: modality -> its chain.
        outcomes: (modality, item) -> what became of it.
    """
    found: list[Scan] = []
    for case, modality, items in owned:
        like = chains[modality].registers if modality in chains else None
        if like is not None:
            found += [
                Scan(case, modality, number, like, outcomes[modality, one])
                for number, one in enumerate(items, start=1)
            ]
    return tuple(sorted(found, key=lambda one: (one.case, one.modality, one.number)))


def write(
    shown: Sequence[Scan], out: Path, *, jobs: int = 1, progress: Progress | None = None
) -> None:
    """Write `qc/<scan>.png` for each, and `quality.tsv` over all; none where there is no scan.

    Args:
        shown: the scans.
        out: the folder; made where it is missing.
        jobs: processes that draw; no byte depends on it.
        progress: called with (scans done, scans).

    Raises:
        RunError: `out` cannot be written to.
    """
    if not shown:
        return
    rows: list[dict[str, Cell]] = []
    for row in Parallel(n_jobs=jobs, return_as="generator")(
        delayed(_written)(one, out) for one in shown
    ):
        rows.append(row)
        if progress:
            progress(len(rows), len(shown))
    table.write(out / "quality.tsv", QUALITY, rows)


def verdict(quality: Quality) -> dict[str, Cell]:
    """What `quality.tsv` says of checks."""
    return {
        "verdict": quality.verdict,
        **{name: quality.values.get(name) for name in LIMITS},
        "reason": "; ".join(quality.reasons) or None,
    }


def _written(scan: Scan, out: Path) -> dict[str, Cell]:
    path = scan.outcome.source.path
    row: dict[str, Cell] = {
        "case_id": scan.case,
        "modality": scan.modality,
        "source": scan.outcome.source.shown,
    }
    try:
        quality = Quality(checked(scan.outcome, scan.like).checks)
        picture = montage(scan.outcome, scan.like, name=scan.name)
    except DataError as error:
        return {**row, "verdict": "refused", "reason": reason_line(str(error), path.parent)}
    target = out / FOLDER / f"{scan.name}.png"
    atomic.write_bytes(target, picture)
    return {**row, **verdict(quality), "montage": target.relative_to(out).as_posix()}
