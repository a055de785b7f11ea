"""A run folder as an auditor reads it: files only, each of them optional but the first.

`study.yaml` or `metrics.json` must be there, else the folder is no run. A part that is not there is
None or empty, and the report says "not recorded"; a part that is there but broken is an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmmed.errors import DataError, RunError
from mmmed.evaluation.summary import main_rows
from mmmed.record import atomic, digest, table

TABLES = ("cases.tsv", "splits.tsv", "leaks.tsv", "presence.tsv", "predictions.tsv")
DIGESTED = (
    "study.yaml",
    "environment.json",
    *TABLES,
    "metrics.json",
    "statistics.json",
    "ceilings.json",
    "truth.json",
    "attended.tsv",
)
TILES = "_tiles.png"
"""How the name of an overview of a slide ends."""
OVERVIEWS, LARGEST_OVERVIEW = 12, 2**21
"""Slides that a page shows, and bytes of one; the others are in `qc/`."""
PICTURES, LARGEST = 100, 2**17
"""How many pictures of items a page may hold, and the bytes of one; others are left out."""
NEEDED = (
    "method",
    "protocol",
    "rate",
    "pattern",
    "table",
    "metric",
    "value",
    "low",
    "high",
    "n",
    "n_positive",
    "positive",
    "shown",
    "models",
    "seed_spread",
    "reason",
    "oracle",
    "ceiling",
    "ceiling_all",
    "fraction",
    "pattern_auroc",
    "remark",
)
"""What a row of `metrics.json` must hold for the report to speak of it."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Training:
    """How one job learned.

    Attributes:
        job: its folder's name.
        phase: name of the phase.
        steps: steps it was given.
        auroc: modality -> AUROC of the training cases under it alone, after the phase.
    """

    job: str
    phase: str
    steps: int | None
    auroc: Mapping[str, float | None]


@dataclass(frozen=True)
class RunFolder:
    """The parts of a run.

    Attributes:
        path: of the folder; a section reads from it what no other section shows.
        name: of the folder.
        study: `study.yaml` as text.
        environment: `environment.json`.
        cases: rows of `cases.tsv`.
        splits: rows of `splits.tsv`.
        leaks: rows of `leaks.tsv`; empty where no subject is on both sides of a fold.
        presence: rows of `presence.tsv`.
        main: the cohort and the training that rows and figures are about; others are in the files.
        others: cohorts and trainings beside that one.
        rule: how a case got its label, of `metrics.json`; empty where it is not recorded.
        classes: their names, of `metrics.json`.
        rows: of `metrics.json`.
        images: recognition rates, of `metrics.json`; empty where images were not scored alone.
        differences: of `metrics.json`.
        notes: of `metrics.json`.
        figures: file name -> PNG.
        training: phases of the jobs.
        reports: what jobs tell beside their predictions; not every method tells something.
        digests: file -> SHA-256.
        truth: `truth.json` without its cases.
        attended: rows of `attended.tsv`: the most attended items of a few cases.
        pictures: file named there -> JPEG.
        slides: overview of a slide with its tiles, `P-1_slide-1` -> PNG; of the first few.
        overviews: how many there are in the run.
    """

    path: Path
    name: str
    study: str | None
    environment: Mapping[str, Any] | None
    cases: Sequence[Mapping[str, str]]
    splits: Sequence[Mapping[str, str]]
    leaks: Sequence[Mapping[str, str]]
    presence: Sequence[Mapping[str, str]]
    main: Mapping[str, str]
    others: Sequence[str]
    rule: str
    classes: Sequence[str]
    rows: Sequence[Row]
    images: Sequence[Row]
    differences: Sequence[Row]
    notes: Sequence[str]
    figures: Mapping[str, bytes]
    training: Sequence[Training]
    reports: Sequence[Mapping[str, Any]]
    digests: Mapping[str, str]
    truth: Mapping[str, Any] | None
    attended: Sequence[Mapping[str, str]] = ()
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    slides: Mapping[str, bytes] = field(default_factory=dict)
    overviews: int = 0


def read_run(run: Path) -> RunFolder:
    """Read a run folder.

    Raises:
        RunError: this is no run folder, or one of its files is broken.
    """
    if not (run / "study.yaml").is_file() and not (run / "metrics.json").is_file():
        raise RunError(f"{run}: holds neither study.yaml nor metrics.json; name a run folder")
    metrics = _metrics(run / "metrics.json")
    truth = read_object(run / "truth.json")
    return RunFolder(
        path=run,
        name=run.resolve().name,
        study=_text(run / "study.yaml"),
        environment=read_object(run / "environment.json"),
        cases=_of_cohort(_rows(run / "cases.tsv", table.CASES), metrics),
        splits=_rows(run / "splits.tsv", table.SPLITS),
        leaks=_rows(run / "leaks.tsv", table.LEAKS),
        presence=_of_training(_rows(run / "presence.tsv", table.PRESENCE), metrics),
        main={key: str(name) for key, name in metrics.get("main", {}).items()},
        others=_others(metrics),
        rule=str(metrics.get("rule", "")),
        classes=[str(name) for name in metrics.get("classes", ())],
        rows=main_rows(metrics),
        images=metrics.get("images", ()),
        differences=main_rows(metrics, "differences"),
        notes=[str(note) for note in metrics.get("notes", ())],
        figures={path.name: path.read_bytes() for path in sorted((run / "figures").glob("*.png"))},
        training=[
            phase for job in sorted(run.glob("jobs/*/history.json")) for phase in _training(job)
        ],
        reports=[read_object(job) or {} for job in sorted(run.glob("jobs/*/report.json"))],
        digests={name: digest.of_file(run / name) for name in DIGESTED if (run / name).is_file()},
        truth=None if truth is None else {key: truth[key] for key in truth if key != "cases"},
        attended=_rows(run / "attended.tsv", table.ATTENDED),
        pictures=_pictures(run),
        slides=_slides(run),
        overviews=len(list(run.glob(f"qc/*{TILES}"))),
    )


def _pictures(run: Path) -> dict[str, bytes]:
    """Path in the run -> JPEG, of what lies in `attended/` and is small."""
    small = [one for one in sorted(run.glob("attended/*.jpg")) if one.stat().st_size <= LARGEST]
    return {one.relative_to(run).as_posix(): one.read_bytes() for one in small[:PICTURES]}


def _slides(run: Path) -> dict[str, bytes]:
    """Slide -> PNG, of the first overviews in `qc/` that are not too large."""
    found = sorted(run.glob(f"qc/*{TILES}"))
    shown = [one for one in found if one.stat().st_size <= LARGEST_OVERVIEW][:OVERVIEWS]
    return {one.name.removesuffix(TILES): one.read_bytes() for one in shown}


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8") if path.is_file() else None
    except (OSError, UnicodeDecodeError) as error:
        raise RunError(f"{path}: cannot be read ({error}); restore it or run again") from error


def read_object(path: Path) -> dict[str, Any] | None:
    """A JSON file that holds an object; None where there is no such file.

    Raises:
        RunError: it is broken.
    """
    value = atomic.read_json(path) if path.is_file() else None
    if value is not None and not isinstance(value, dict):
        raise RunError(f"{path}: an object is expected; restore it or run again")
    return value


def _rows(path: Path, schema: table.Schema) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    try:
        return table.read(path, schema)
    except DataError as error:
        raise RunError(str(error)) from error


def _of_training(
    presence: Sequence[dict[str, str]], metrics: Mapping[str, Any]
) -> list[dict[str, str]]:
    """What the training that the page is about hides, and what the test protocols do."""
    train = metrics.get("main", {}).get("train")
    told = (train, table.MISSING)
    mine = _of_cohort(presence, metrics)
    return [row for row in mine if train is None or row.get("train", train) in told]


def _of_cohort(rows: Sequence[dict[str, str]], metrics: Mapping[str, Any]) -> list[dict[str, str]]:
    """The rows about the cohort that the page is about."""
    cohort = metrics.get("main", {}).get("cohort")
    return [row for row in rows if cohort is None or row.get("cohort", cohort) == cohort]


def _others(metrics: Mapping[str, Any]) -> list[str]:
    """The cohorts and trainings that are scored beside the main one, by name."""
    main = metrics.get("main", {})
    found = {tuple(row.get(key) for key in main) for row in metrics.get("rows", ())}
    return sorted(", ".join(map(str, one)) for one in found - {tuple(main.values())} if any(one))


def _metrics(path: Path) -> dict[str, Any]:
    value = read_object(path) or {}
    if value and value.get("mmmed-metrics") != 1:
        raise RunError(f"{path}: states no `mmmed-metrics: 1`, so it cannot be read")
    for place, row in enumerate(value.get("rows", ())):
        lacking = [name for name in NEEDED if name not in row]
        if lacking:
            raise RunError(f"{path}: row {place} lacks {lacking[0]!r}; evaluate the run again")
    return value


def _training(path: Path) -> list[Training]:
    phases = atomic.read_json(path)
    try:
        return [
            Training(
                job=path.parent.name,
                phase=str(phase["name"]),
                steps=phase.get("steps"),
                auroc=dict(phase.get("training_auroc") or {}),
            )
            for phase in phases
        ]
    except (TypeError, KeyError, AttributeError) as error:
        raise RunError(f"{path}: is no history of training ({error!r})") from error
