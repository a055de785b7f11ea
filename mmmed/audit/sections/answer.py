"""What was asked, and the answer."""

from __future__ import annotations

import yaml

from mmmed.audit import words
from mmmed.audit.folder import RunFolder
from mmmed.audit.section import Values
from mmmed.evaluation.scores import headline


def values(run: RunFolder) -> Values:
    """The question as the study states it, and the answer in sentences."""
    return {
        "question": _question(run.study),
        "answer": words.answer(run.rows, run.differences, metric=headline(run.classes)),
        "conditional": bool(run.truth and run.truth.get("matched")),
    }


def _question(study: str | None) -> str | None:
    """The question a study states; None where it states none or is no YAML."""
    try:
        values = yaml.safe_load(study or "")
    except yaml.YAMLError:
        return None
    question = values.get("question") if isinstance(values, dict) else None
    return str(question) if question else None
