"""What was asked, and the answer: a paragraph, then sentences that its tables bear out."""

from __future__ import annotations

from mmmed.audit import words
from mmmed.audit.failures import read_failures
from mmmed.audit.finding.paragraph import Answer, explained, paragraph
from mmmed.audit.folder import RunFolder
from mmmed.audit.outline import Outline, outline
from mmmed.audit.section import Values
from mmmed.audit.statistics import Statistics, read_statistics
from mmmed.evaluation.scores import headline


def values(run: RunFolder) -> Values:
    """The question as the study states it, the answer in sentences, and the jobs that failed."""
    study, statistics = outline(run.study), read_statistics(run.path)
    failures = read_failures(run.path)
    noted = list(dict.fromkeys([*run.notes, *(statistics.notes if statistics else ())]))
    known = {one.removeprefix("failed: ") for one in noted if one.startswith("failed: ")}
    return {
        "question": study.question,
        "paragraph": answer(run, study, statistics),
        "explained": explained(statistics, positive=_positive(run)) if statistics else "",
        "sentences": statistics.answers if statistics else (),
        "scores": words.answer(run.rows, run.differences, metric=headline(run.classes)),
        "failures": [(one.job, one.reason) for one in failures]
        or [tuple(one.split(": ", 1)) for one in sorted(known) if ": " in one],
        "jobs": len(list(run.path.glob("jobs/*/settings.json"))),
        "notes": [one for one in noted if not one.startswith("failed: ")],
        "conditional": bool(run.truth and run.truth.get("matched")),
        "about": run.main,
        "others": run.others,
    }


def answer(run: RunFolder, study: Outline, statistics: Statistics | None) -> list[Answer]:
    """The first paragraph, question by question; empty where the run has no statistics."""
    if statistics is None:
        return []
    tested = [one for one in words.absences(run.presence) if one.hiding.split == "test"]
    return list(paragraph(statistics, study, main=run.main, absences=tested))


def _positive(run: RunFolder) -> str | None:
    """The class that scores are about, as the rows tell."""
    return next((str(row["positive"]) for row in run.rows if row["positive"]), None)
