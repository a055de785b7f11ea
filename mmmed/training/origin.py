"""What a model package says of where it comes from."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Origin:
    """What a package must say of where it comes from.

    Attributes:
        study: resolved, as plain values.
        reading: the cohort's spec, without its folder, as plain values.
        seed: of the job.
        fold: of the job.
        train: the training of the job: what it hid.
        subjects: part (train, validation, calibration) -> subject ids.
        dicom: how a folder of DICOM is read; None where the chains take no scan as acquired.
        tuning: how its settings were chosen among trials; None where they are the study's own.
    """

    study: Mapping[str, Any]
    reading: Mapping[str, Any]
    seed: int
    fold: str
    train: str
    subjects: Mapping[str, Collection[str]]
    dicom: Mapping[str, Any] | None = None
    tuning: Mapping[str, Any] | None = None
