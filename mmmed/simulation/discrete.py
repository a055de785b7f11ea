"""A simulated cohort whose law is a table: small whole numbers as vectors, and a label.

law       P(x_1, ..., x_M, y), one axis per modality and the two classes last
written   `cases.tsv`, one column per modality, and `truth.json`, written last

Cases are drawn independently, so what a reader can attain is a matter of counting.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field, field_validator

from mmmed.config import Spec
from mmmed.modality import Pattern, every_pattern
from mmmed.record import atomic
from mmmed.simulation.spec import Subjects

TABLE, TRUTH = "cases.tsv", "truth.json"

CERTAIN = 50.0
"""Log-odds of what is certain: infinity is no number in JSON, and doubles know no better."""


class Xor(Spec):
    """The label is the parity of fair, independent bits: all of them tell it, fewer tell nothing.

    Attributes:
        flip: share of the labels that are turned round.
    """

    kind: Literal["xor"] = "xor"
    flip: Annotated[float, Field(ge=0, lt=0.5)] = 0.0

    def table(self, modalities: int) -> np.ndarray:
        """P(x_1, ..., x_M, y), (2, ..., 2, 2)."""
        parity = np.indices((2,) * modalities).sum(axis=0) % 2
        chance = np.array([[1 - self.flip, self.flip], [self.flip, 1 - self.flip]])
        return np.asarray(chance[parity] / 2**modalities)


class TableSimulation(Spec):
    """A cohort drawn from a table of probabilities.

    Attributes:
        law: of modalities and label.
        modalities: their names, in any order.
        subjects: per part.
        seed: of the draw.
    """

    law: Xor = Xor()
    modalities: Annotated[tuple[str, ...], Field(min_length=2, max_length=10)] = ("a", "b")
    subjects: Subjects = Subjects()
    seed: Annotated[int, Field(ge=0)] = 0

    @field_validator("modalities")
    @classmethod
    def _named(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(names)) < len(names):
            raise ValueError("a modality stands twice")
        return Pattern.of(names).names

    @property
    def table(self) -> np.ndarray:
        """P(x_1, ..., x_M, y), modalities in natural order."""
        return self.law.table(len(self.modalities))


def draw(spec: TableSimulation) -> pd.DataFrame:
    """The cases, in the columns of the written table."""
    table = spec.table
    generator = np.random.default_rng(spec.seed)
    cells = generator.choice(table.size, size=spec.subjects.total, p=table.ravel())
    *values, label = np.unravel_index(cells, table.shape)
    parts = [part for part, count in spec.subjects.model_dump().items() for _ in range(count)]
    width = len(str(len(parts)))
    return pd.DataFrame(
        {
            "case_id": [f"case-{row:0{width}d}" for row in range(1, len(parts) + 1)],
            "part": parts,
            "label": label,
            **dict(zip(spec.modalities, values, strict=True)),
        }
    )


def write(spec: TableSimulation, out: Path) -> None:
    """Write the table of cases and the truth about them; the same settings give the same bytes."""
    if (out / TRUTH).exists():
        return
    cases = draw(spec)
    atomic.made(out, advice="choose another folder")
    atomic.write_text(out / TABLE, cases.to_csv(sep="\t", index=False, lineterminator="\n"))
    atomic.write_json(out / TRUTH, _truth(spec, cases))


def log_odds(spec: TableSimulation, pattern: Pattern) -> np.ndarray:
    """Log-odds of class 1 for each joint value of what a pattern shows, one axis per modality."""
    hidden = tuple(place for place, name in enumerate(spec.modalities) if name not in pattern)
    joint = spec.table.sum(axis=hidden)
    with np.errstate(divide="ignore"):
        odds = np.log(joint[..., 1]) - np.log(joint[..., 0])
    return np.asarray(odds.clip(-CERTAIN, CERTAIN))


def _truth(spec: TableSimulation, cases: pd.DataFrame) -> dict[str, Any]:
    """What `truth.json` holds: the law, and every case's log-odds per pattern."""
    patterns = every_pattern(spec.modalities)
    odds = {str(pattern): _of_cases(spec, pattern, cases) for pattern in patterns}
    return {
        "law": spec.law.model_dump(mode="json"),
        "seed": spec.seed,
        "matched": False,
        "cases": {
            case: {
                "part": part,
                "label": int(label),
                "log_odds": {pattern: float(one[place]) for pattern, one in odds.items()},
            }
            for place, (case, part, label) in enumerate(
                zip(cases["case_id"], cases["part"], cases["label"], strict=True)
            )
        },
    }


def _of_cases(spec: TableSimulation, pattern: Pattern, cases: pd.DataFrame) -> np.ndarray:
    values = tuple(cases[name].to_numpy() for name in pattern)
    return np.asarray(log_odds(spec, pattern)[values])
