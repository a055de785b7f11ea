"""What a verification says: `verify-mask.json`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from mmmed.pipelines.verify_mask.findings import Fault, as_values
from mmmed.pipelines.verify_mask.poison import Item, Poisons, Variant

VERSION = 1

Answer = Literal["proven", "leak", "nothing hidden", "not shown", "not verified"]


@dataclass(frozen=True)
class Replaced:
    """How many scans of a modality were hidden in a part, and what took their place.

    Attributes:
        modality: of the scans.
        split: `train` (training and validation) or `test`.
        hidden: scans that are hidden somewhere.
        ways: `uniform`, `trembling`, `swap` -> scans.
        left: scans for which neither noise nor another scan could be had.
    """

    modality: str
    split: str
    hidden: int
    ways: Mapping[str, int]
    left: int

    def values(self) -> dict[str, Any]:
        """As plain values."""
        return {**vars(self), "ways": dict(self.ways)}


@dataclass(frozen=True)
class Retrained:
    """A job that was trained again.

    Attributes:
        job: its name.
        method: of the job.
        recorded: SHA-256 of the run's weights.
        again: SHA-256 of the weights made without the hidden scans.
    """

    job: str
    method: str
    recorded: str
    again: str


@dataclass(frozen=True)
class Verdict:
    """What a repetition of a run showed.

    Attributes:
        faults: none where nothing depends on what was hidden.
        replaced: per modality and part.
        jobs: models whose predictions were made again.
        views: predictions that were compared, over all models and both kinds of poison.
        retrained: models that were trained again.
        methods: method of the run -> its models.
        against: what the repetition was compared with, in words.
        notes: what else is worth knowing.
        seconds: that it took.
        unproven: why nothing could be repeated; empty where something was.
    """

    faults: tuple[Fault, ...]
    replaced: tuple[Replaced, ...] = ()
    jobs: int = 0
    views: int = 0
    retrained: tuple[Retrained, ...] = ()
    methods: Mapping[str, int] = field(default_factory=dict)
    against: str = "the run's own predictions and weights"
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    unproven: str = ""

    @property
    def answer(self) -> Answer:
        """In one or two words."""
        if self.unproven:
            return "not verified"
        if self.faults:
            return "leak"
        if not any(one.hidden for one in self.replaced):
            return "nothing hidden"
        return "proven" if any(one.hidden > one.left for one in self.replaced) else "not shown"

    @property
    def sentence(self) -> str:
        """The verdict for people."""
        if self.unproven:
            return f"Not verified: {self.unproven}"
        if self.answer == "leak":
            first = f"{len(self.faults)} result(s) depend on hidden scans or contradict the tables"
            return f"Not proven: {first}; the first: {self.faults[0]}"
        if self.answer == "not shown":
            return "No hidden scan could be replaced, so nothing is shown."
        if self.answer == "nothing hidden":
            return "No protocol of this study hides a scan: there was nothing to prove."
        scans = sum(one.hidden - one.left for one in self.replaced)
        return (
            f"Hidden scans were not used: with {scans} of them replaced by noise or by another "
            f"case's scan before anything was read, {self.views} predictions of {self.jobs} "
            f"model(s) came out byte for byte as {self.against}{self._weights}{self._left}."
        )

    @property
    def trained_again(self) -> dict[str, dict[str, int]]:
        """Method -> how many models it has, and how many of them were trained again."""
        again = Counter(one.method for one in self.retrained)
        return {
            name: {"models": count, "again": again[name]} for name, count in self.methods.items()
        }

    def values(self, *, within: bool = False) -> dict[str, Any]:
        """As plain values.

        Args:
            within: whether the run itself proves, before its report.
        """
        kinds = Counter(one.kind for one in self.faults)
        return {
            "mmmed-verify-mask": VERSION,
            "answer": self.answer,
            "sentence": self.sentence,
            "within": within,
            "against": self.against,
            "jobs": self.jobs,
            "views": self.views,
            "replaced": [one.values() for one in self.replaced],
            "retrained": [vars(one) for one in self.retrained],
            "methods": self.trained_again,
            "fault_counts": dict(kinds),
            "faults": as_values(self.faults),
            "notes": list(self.notes),
            "seconds": round(self.seconds, 1),
        }

    @property
    def _weights(self) -> str:
        if not self.retrained:
            return "; no model was trained again, so nothing is said of training"
        again = {one.method for one in self.retrained}
        rest = [name for name in self.methods if name not in again]
        named = ", ".join(name for name in self.methods if name in again)
        told = (
            f", and {len(self.retrained)} of the models, of {named}, trained again had identical "
            "weights"
        )
        return f"{told}; of {', '.join(rest)} no model was trained again" if rest else told

    @property
    def _left(self) -> str:
        left = sum(one.left for one in self.replaced)
        return f"; {left} hidden scan(s) could not be replaced" if left else ""


def replaced(
    hidden: Mapping[str, Sequence[Item]], poisons: Mapping[Variant, Poisons]
) -> tuple[Replaced, ...]:
    """How many scans were replaced, and how.

    Args:
        hidden: part -> what is hidden there.
        poisons: what took their place.
    """
    found = []
    for split, items in hidden.items():
        for modality in sorted({name for name, _ in items}):
            mine = {item for item in items if item[0] == modality}
            ways = Counter(
                known[item].how for known in poisons.values() for item in mine if item in known
            )
            left = sum(all(item not in known for known in poisons.values()) for item in mine)
            found.append(Replaced(modality, split, len(mine), dict(sorted(ways.items())), left))
    return tuple(found)
