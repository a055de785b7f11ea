"""`report.html`: one page that can be read and kept without the run, the program or a network.

It is made from the files of the run folder alone. Every text of theirs is escaped; figures are
data URIs; nothing is loaded and nothing is executed when the page is opened.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, StrictUndefined

from mmmed.audit import words
from mmmed.audit.folder import Row, RunFolder, read_run
from mmmed.evaluation.scores import METRICS, headline
from mmmed.evaluation.text import NAMES, counted, number, rate_cell, rate_lines
from mmmed.record import atomic

NAME = "report.html"
TEMPLATE = Path(__file__).with_name("report.html.j2")

DESCRIPTIONS = {
    "cohort-grid": "Which case shows which modality: filled is shown, hollow is hidden by the "
    "protocol, a dot is absent.",
    "overview": "Left: cases with holes. Right: the score per pattern with its interval.",
    "patterns": "The score per pattern and method with its interval; the bar is the oracle on the "
    "same cases. Of many patterns: single modalities, then the mean over all patterns of a size.",
    "robustness": "The score with its interval against the share hidden in test.",
    "reliability": "Observed share against predicted probability; the number of cases stands "
    "beside each bin, the bar is its interval.",
}
"""What the figures show, by how their names begin: captions, and words for those who cannot see."""


def write_report(run: Path) -> Path:
    """Write `report.html` into a run folder and return its path.

    Raises:
        RunError: this is no run folder, or one of its files is broken.
    """
    path = run / NAME
    atomic.write_text(path, render(read_run(run)))
    return path


def render(run: RunFolder) -> str:
    """The page of a run."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["number"] = number
    environment.filters["rate"] = _rate
    environment.filters["share"] = _share
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        run=run,
        question=_question(run.study),
        answer=words.answer(run.rows, run.differences, metric=headline(run.classes)),
        parts=words.parts(run.splits, run.cases),
        absences=words.absences(run.presence),
        folds=len({row["fold"] for row in run.presence}),
        tables={kind: _table(run.rows, kind) for kind in ("forced", "sizes", "observed")},
        reasons=_reasons(run.rows),
        rates=[
            (
                line["method"],
                line["modality"],
                counted(line),
                *map(rate_cell, line["rates"].values()),
            )
            for line in rate_lines(run.images)
        ],
        metrics=[(metric, NAMES[metric]) for metric in METRICS],
        figures=_figures(run.figures),
        modalities=sorted({name for phase in run.training for name in phase.auroc}),
        reports=[_told(report) for report in run.reports],
        settings=list(_flat(run.environment or {})),
        attended=_attended(run.attended, run.pictures),
        slides=[(name, _data("png", png)) for name, png in run.slides.items()],
        conditional=bool(run.truth and run.truth.get("matched")),
    )


def _question(study: str | None) -> str | None:
    """The question a study states; None where it states none or is no YAML."""
    try:
        values = yaml.safe_load(study or "")
    except yaml.YAMLError:
        return None
    question = values.get("question") if isinstance(values, dict) else None
    return str(question) if question else None


def _table(rows: Sequence[Row], kind: str) -> list[dict[str, Any]]:
    """One line per method and table, its metrics side by side."""
    lines: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        if row["table"] == kind:
            key = (row["protocol"], row["rate"], row["pattern"], row["method"])
            lines.setdefault(key, {"row": row, "metrics": {}})["metrics"][row["metric"]] = row
    return [line for line in lines.values() if "auroc" in line["metrics"]]


def _reasons(rows: Sequence[Row]) -> list[str]:
    """Why numbers or intervals are missing, each reason once."""
    found: dict[str, list[str]] = {}
    for row in rows:
        if row["reason"]:
            place = f"{row['method']} {row['protocol']}{_rate(row['rate'])} {row['pattern']}"
            found.setdefault(f"{row['metric']}: {row['reason']}", []).append(place)
    return [
        f"{reason} ({len(places)}: {'; '.join(places[:3])})" for reason, places in found.items()
    ]


def _figures(figures: Mapping[str, bytes]) -> dict[str, list[dict[str, str]]]:
    """Section -> figures with a source and a description."""
    sections: dict[str, list[dict[str, str]]] = {name: [] for name in DESCRIPTIONS}
    for file, png in figures.items():
        kind = next((name for name in DESCRIPTIONS if file.startswith(name)), None)
        if kind is not None:
            source = _data("png", png)
            title = file.removesuffix(".png")
            sections[kind].append(
                {"source": source, "title": title, "description": DESCRIPTIONS[kind]}
            )
    return sections


def _attended(
    rows: Sequence[Mapping[str, str]], pictures: Mapping[str, bytes]
) -> list[dict[str, Any]]:
    """One entry per case, with its items in order of attention."""
    cases: dict[str, dict[str, Any]] = {}
    for row in rows:
        picture = pictures.get(row["picture"])
        entry = cases.setdefault(row["place"], {"row": row, "items": []})
        entry["items"].append({"row": row, "source": picture and _data("jpeg", picture)})
    return list(cases.values())


def _data(kind: str, picture: bytes) -> str:
    """A picture as a URI that needs no file."""
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode('ascii')}"


def _rate(rate: float | None) -> str:
    return "" if rate is None else f" {rate:.0%}"


def _share(text: str) -> str:
    """A share as a percentage; as it stands where it is no number."""
    try:
        return f"{float(text):.0%}"
    except ValueError:
        return text


def _told(report: Mapping[str, Any]) -> tuple[str, list[tuple[str, str]]]:
    """What a job tells: its name, and names and values."""
    about = ("method", "fold", "seed")
    name = " ".join(str(report[key]) for key in about if key in report)
    return name, list(_flat({key: report[key] for key in report if key not in about}))


def _flat(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, inner in value.items():
        if isinstance(inner, Mapping):
            yield from _flat(inner, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", f"{inner:.4g}" if isinstance(inner, float) else str(inner)
