"""How the values of a PET became SUVbw, so that an auditor can compute it again.

factor   SUVbw = value x factor, a value being a stored one after the rescale of its frame
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, Literal

Unit = Literal["SUVbw", "relative"]


@dataclass(frozen=True)
class Evidence:
    """One value that the headers state and that was looked at.

    Attributes:
        tag: `(0018,1074)`.
        name: keyword of the tag: `RadionuclideTotalDose`.
        value: as it is written there; several values of one header with a backslash between.
        headers: how many headers (or frames) state it.
    """

    tag: str
    name: str
    value: str
    headers: int


@dataclass(frozen=True)
class Derivation:
    """The derivation record of one PET series.

    Attributes:
        unit: `SUVbw`, or `relative`: linear in uptake, of unknown scale.
        factor: a value times this is in `unit`; 1 where it is relative.
        path: the branches taken, from the unit on.
        formula: the factor as arithmetic over the names of `terms`.
        terms: the numbers that the formula is over; the name of each ends with its unit.
        evidence: what was read.
        notes: what a reader of the values should know.
    """

    unit: Unit
    factor: float
    path: tuple[str, ...]
    formula: str
    terms: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    evidence: tuple[Evidence, ...] = ()
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The record as plain values."""
        return {
            "unit": self.unit,
            "factor": self.factor,
            "path": list(self.path),
            "formula": self.formula,
            "terms": dict(self.terms),
            "evidence": [asdict(one) for one in self.evidence],
            "notes": list(self.notes),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Derivation:
        """The record that `to_json` gave."""
        return cls(
            unit=values["unit"],
            factor=float(values["factor"]),
            path=tuple(values["path"]),
            formula=str(values["formula"]),
            terms=MappingProxyType(dict(values["terms"])),
            evidence=tuple(Evidence(**one) for one in values["evidence"]),
            notes=tuple(values["notes"]),
        )
