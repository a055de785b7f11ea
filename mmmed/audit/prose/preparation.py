"""What was done to the images before a model saw them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from mmmed.audit.folder import read_object
from mmmed.audit.prose.record import Record, stated


def told(record: Record) -> Iterator[str]:
    """The chain of each modality: fixed steps, then random ones in training."""
    chains = record.study.part("transforms")
    if not chains:
        yield "Preparation was not recorded."
    for modality, chain in chains.items():
        if not isinstance(chain, Mapping):
            yield f"{modality}: {stated(chain)}."
            continue
        fixed = "; ".join(map(_step, chain.get("prepare") or ())) or "nothing"
        drawn = "; ".join(map(_step, chain.get("augment") or ())) or "nothing"
        yield (
            f"{modality} (chain {stated(chain.get('name'))}): {fixed}. In training, at random: "
            f"{drawn}."
        )
    yield from _skipped(read_object(record.run.path / "preparation.json") or {})


def _step(step: Any) -> str:
    if not isinstance(step, Mapping):
        return stated(step)
    rest = {key: value for key, value in step.items() if key != "kind" and value is not None}
    return f"{step.get('kind')} ({stated(rest)})" if rest else str(step.get("kind"))


def _skipped(records: Mapping[str, Any]) -> Iterator[str]:
    """Steps of a chain that were left out, of how many items and why."""
    for modality, told_of in records.items():
        if not isinstance(told_of, Mapping):
            continue
        found: Counter[str] = Counter()
        for text, count in told_of.items():
            for step in str(text).split("; "):
                name, _, what = step.partition(": ")
                if what.startswith("skipped"):
                    found[f"{name} was {what}"] += int(count)
        items = sum(int(count) for count in told_of.values())
        for what, count in found.items():
            yield f"{modality}: {what} ({count} of {items} items)."
