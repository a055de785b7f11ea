"""What a folder of DICOM files holds and what of it cannot be read, in sentences.

Only headers are read. A patient is a digest, never a name or a hospital's number.
"""

from __future__ import annotations

from collections import Counter

from mmmed.readers.dicom.index import Index, Series

DIGITS = 10
"""Of the digest that stands for a patient."""


def sentences(index: Index) -> list[str]:
    """What is there, in counts."""
    patients = {_patient(one) for one in index.series}
    studies = {one.study for one in index.series}
    kinds = Counter(one.modality or "no modality" for one in index.series)
    counted = ", ".join(f"{count} {name}" for name, count in sorted(kinds.items()))
    counts = (len(index.series), len(studies), len(patients))
    words = (("series", "series"), ("DICOM Study", "DICOM Studies"), ("patient", "patients"))
    found = " of ".join(
        f"{count} {one if count == 1 else many}"
        for count, (one, many) in zip(counts, words, strict=True)
    )
    lines = [f"DICOM: {found}: {counted}" if counted else f"DICOM: {found}"]
    aside = Counter(one.code for one in index.aside if one.verdict == "set-aside")
    if aside:
        told = ", ".join(f"{count} {code}" for code, count in sorted(aside.items()))
        lines.append(f"set aside: {told}")
    return lines


def faults(index: Index) -> list[str]:
    """What cannot be read, or not rightly; what is set aside is none."""
    return [
        f"{one.path}: {one.verdict}: {one.text}"
        for one in index.aside
        if one.verdict != "set-aside"
    ]


def _patient(one: Series) -> str:
    return one.headers[0].identity[:DIGITS] or "unknown"
