"""Pictures of a run as data URIs, each with words for those who cannot see it."""

from __future__ import annotations

import base64
from collections.abc import Mapping

DESCRIPTIONS = {
    "arena": "Left: image error against the score without the true image, a point per imputer, "
    "fold and seed; lines are methods that make no image. Right: over the cases of each imputer, "
    "the rank correlation of error and bits lost, with its interval.",
    "cohort-grid": "Which case shows which modality: filled is shown, hollow is hidden by the "
    "protocol, a dot is absent.",
    "cost-accuracy": "Seconds of training, mean and range of the jobs, against the mean score over "
    "the rates with its interval, a point per method.",
    "differences": "Paired differences between methods with their intervals and verdicts; a filled "
    "marker is a claim, and the grey band holds differences below the margin.",
    "overview": "Left: cases with holes. Right: the score per pattern with its interval.",
    "patterns": "The score per pattern and method with its interval; the bar is the oracle on the "
    "same cases. Of many patterns: single modalities, then the mean over all patterns of a size.",
    "ranks": "Per place, the share of the draws of subjects in which each method is best.",
    "robustness": "The score with its interval against the share hidden in test.",
    "trainings": "The score of each method by how it was trained and under which protocol it was "
    "tested.",
    "reliability": "Observed share against predicted probability; the number of cases stands "
    "beside each bin, the bar is its interval.",
}
"""What the figures show, by how their names begin: captions, and words for those who cannot see."""


def figures(pngs: Mapping[str, bytes], kind: str | None) -> list[dict[str, str]]:
    """The figures of one kind, each with a source, a title and a description.

    Args:
        pngs: file name -> PNG.
        kind: key of DESCRIPTIONS; None for figures of no known kind, told by their names.
    """
    return [
        {
            "source": data_uri("png", png),
            "title": file.removesuffix(".png"),
            "description": DESCRIPTIONS[kind] if kind else _spoken(file),
        }
        for file, png in pngs.items()
        if next((name for name in DESCRIPTIONS if file.startswith(name)), None) == kind
    ]


def data_uri(kind: str, picture: bytes) -> str:
    """A picture as a URI that needs no file."""
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode('ascii')}"


def _spoken(file: str) -> str:
    return file.removesuffix(".png").replace("-", " ").replace("_", " ").capitalize() + "."
