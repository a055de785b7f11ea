"""`report.html`: one page that can be read and kept without the run, the program or a network.

It is made from the files of the run folder alone, section by section. Every text of theirs is
escaped; figures are data URIs; nothing is loaded and nothing is executed when the page is opened.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from mmmed.audit.folder import RunFolder, read_run
from mmmed.audit.section import Section
from mmmed.audit.sections import (
    answer,
    arena,
    attended,
    calibration,
    cohort,
    figures,
    images,
    methods,
    observed,
    patterns,
    settings,
    slides,
    tables,
    training,
    verify_mask,
    versions,
)
from mmmed.evaluation.text import number
from mmmed.record import atomic

NAME = "report.html"
PARTIALS = Path(__file__).parent

SECTIONS = (
    Section("answer", "Question and answer", answer.values),
    Section("figures", "Figures", figures.values),
    Section("methods", "Methods", methods.values),
    Section("tables", "Tables", tables.values),
    Section("cohort", "Cohort", cohort.values),
    Section("patterns", "Per pattern", patterns.values),
    Section("observed", "Observed", observed.values),
    Section("images", "Images", images.values),
    Section("arena", "Imputation", arena.values),
    Section("calibration", "Calibration", calibration.values),
    Section("slides", "Slides", slides.values),
    Section("attended", "Most attended", attended.values),
    Section("training", "Training", training.values),
    Section("verify_mask", "Proof of non-use", verify_mask.values),
    Section("settings", "Settings", settings.values),
    Section("versions", "Versions and digests", versions.values),
)
"""In the order of the page."""


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
        autoescape=True,
        loader=FileSystemLoader([PARTIALS, PARTIALS / "sections"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number, "rate": _rate, "share": _share}
    style = (PARTIALS / "report.css").read_text(encoding="utf-8")
    return environment.get_template("report.html.j2").render(
        run=run, style=style, sections=list(_sections(run, environment))
    )


def _sections(run: RunFolder, environment: Environment) -> Iterator[dict[str, str]]:
    """The sections that have something to show, as markup."""
    for section in SECTIONS:
        values = section.values(run)
        if values is not None:
            html = environment.get_template(f"{section.name}.html.j2").render(values, run=run)
            yield {"name": section.name, "title": section.title, "html": html}


def _rate(rate: float | None) -> str:
    return "" if rate is None else f" {rate:.0%}"


def _share(text: str) -> str:
    """A share as a percentage; as it stands where it is no number."""
    try:
        return f"{float(text):.0%}"
    except ValueError:
        return text
