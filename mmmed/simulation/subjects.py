"""The subjects of a simulated cohort as a table: who they are, their burdens, their scans.

Draws are keyed by (seed, stream, part or subject number), so a subject's images depend neither
on how many workers made them nor on which other subjects were made.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mmmed.absence import draw
from mmmed.mechanism import Complete
from mmmed.record.table import PARTS
from mmmed.simulation.law import BURDENS, draw_burdens, members
from mmmed.simulation.population import draw_covariates
from mmmed.simulation.rendering import Subject
from mmmed.simulation.spec import AdSimulation

CLASSES = ("CN", "AD")
SESSION = "M000"
STREAMS = ("part", "image", "clinical")


@dataclass(frozen=True)
class Participant:
    """One subject as the dataset knows it.

    Attributes:
        number: from 1; it keys the subject's generators.
        name: `sub-001`.
        site: where the scans were made.
        scans: modalities on disk.
        subject: what the images depend on.
    """

    number: int
    name: str
    site: str
    scans: tuple[str, ...]
    subject: Subject


def draw_subjects(spec: AdSimulation) -> pd.DataFrame:
    """Every subject of the cohort.

    Returns:
        Index `case_id`; columns `subject` (`sub-001`), `number` (from 1), `part`, `label`, `age`,
        `sex`, `site`, `z_mri`, `z_pet`, and per modality whether its scan is on disk.
    """
    table = pd.concat([_draw_part(spec, part) for part in PARTS], ignore_index=True)
    table["number"] = np.arange(1, len(table) + 1)
    width = max(3, len(str(len(table))))
    table["subject"] = [f"sub-{number:0{width}d}" for number in table["number"]]
    table.index = pd.Index(table["subject"] + f"_ses-{SESSION}", name="case_id")
    return table.join(_owned(spec, table))


def participants(table: pd.DataFrame) -> list[Participant]:
    """The rows of a table of subjects, one object each."""
    return [
        Participant(
            number=int(row["number"]),
            name=str(row["subject"]),
            site=str(row["site"]),
            scans=tuple(name for name in BURDENS if row[name]),
            subject=Subject(
                z_mri=float(row["z_mri"]),
                z_pet=float(row["z_pet"]),
                age=float(row["age"]),
                sex=str(row["sex"]),
            ),
        )
        for row in table.to_dict("records")
    ]


def generator(spec: AdSimulation, stream: str, number: int) -> np.random.Generator:
    """The generator of one stream for one part or subject."""
    return np.random.default_rng([spec.seed, STREAMS.index(stream), number])


def _draw_part(spec: AdSimulation, part: str) -> pd.DataFrame:
    size = getattr(spec.subjects, part)
    random = generator(spec, "part", PARTS.index(part))
    label = random.permutation(np.arange(size) % 2)
    table = draw_covariates(spec.population, label, random)
    burdens = draw_burdens(
        spec.law,
        label,
        members(spec.law, table),
        random,
        matched=part == "test" and spec.test == "matched",
    )
    return table.assign(
        part=part, label=label, **dict(zip(BURDENS.values(), burdens.T, strict=True))
    )


def _owned(spec: AdSimulation, table: pd.DataFrame) -> pd.DataFrame:
    owned = pd.DataFrame(True, index=table.index, columns=list(BURDENS))
    if isinstance(spec.missing, Complete):
        return owned
    return draw(
        [spec.missing], owned, split=table["part"], covariates=table, label=table["label"]
    ).table
