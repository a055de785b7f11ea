"""The ceilings of a cohort whose law is a table: sums over its cells, without error.

Modalities are hidden at random here, so absence tells nothing and both ceilings are one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from mmmed.evaluation.information import DiscreteLaw
from mmmed.mechanism import Complete, EveryPattern, Mcar, TestProtocol, rates
from mmmed.modality import Pattern, every_pattern, natural_sorted
from mmmed.simulation.discrete import TableSimulation, log_odds

MIXED = "mixed"
"""The pattern of a table in which cases show different ones."""


def ceilings(spec: TableSimulation, protocols: Sequence[TestProtocol]) -> dict[str, Any]:
    """What `ceilings.json` holds: a row per table of results, the gaps in bits, and notes.

    Args:
        spec: the cohort.
        protocols: of the test; those whose absence depends on something make no row.
    """
    gaps = dict(_gaps(spec))
    return {
        "rows": [row for protocol in protocols for row in _rows(spec, protocol)],
        "gap_bits": gaps,
        "notes": [_sentence(missing, bits, spec) for missing, bits in gaps.items()],
    }


def ceiling(spec: TableSimulation, shares: Mapping[Pattern, float]) -> dict[str, float]:
    """The best AUROC and accuracy where cases show these patterns in these shares."""
    law = _law(spec)
    score, weight = [], []
    for pattern, share in shares.items():
        joint = law.shown(pattern)  # (joint values, 2)
        score.append(np.repeat(log_odds(spec, pattern).ravel(), law.classes))
        weight.append(share * joint.ravel())
    label = np.concatenate([np.arange(len(one)) % law.classes for one in score])
    auroc = roc_auc_score(label, np.concatenate(score), sample_weight=np.concatenate(weight))
    accuracy = sum(share * law.bayes_accuracy(pattern) for pattern, share in shares.items())
    return {"auroc": float(auroc), "accuracy": float(accuracy), "error": 0.0}


def _rows(spec: TableSimulation, protocol: TestProtocol) -> Iterator[dict[str, Any]]:
    whole = Pattern.of(spec.modalities)
    if isinstance(protocol, EveryPattern):
        for pattern in every_pattern(spec.modalities):
            yield _row(spec, protocol, None, {pattern: 1.0}, name=str(pattern))
    elif isinstance(protocol, Complete):
        yield _row(spec, protocol, None, {whole: 1.0}, name=MIXED)
    elif isinstance(protocol, Mcar):
        for rate in rates(protocol):
            yield _row(spec, protocol, rate, _shares(spec, protocol, rate), name=MIXED)


def _row(
    spec: TableSimulation,
    protocol: TestProtocol,
    rate: float | None,
    shares: Mapping[Pattern, float],
    *,
    name: str,
) -> dict[str, Any]:
    found = ceiling(spec, shares)
    return {
        "protocol": protocol.kind,
        "rate": rate,
        "pattern": name,
        "ceiling_images": found,
        "ceiling_all": found,
    }


def _shares(spec: TableSimulation, protocol: Mcar, rate: float) -> dict[Pattern, float]:
    """How often each pattern is left, modality by modality, nobody losing the last."""
    named = protocol.modality
    if isinstance(named, str):
        named = spec.modalities if named == "any" else (named,)
    shares = {Pattern.of(spec.modalities): 1.0}
    for name in natural_sorted(named) if protocol.modality == "any" else named:
        after: dict[Pattern, float] = {}
        for pattern, share in shares.items():
            lost = rate * share if name in pattern and len(pattern) > 1 else 0.0
            after[pattern] = after.get(pattern, 0.0) + share - lost
            if lost:
                less = pattern - Pattern.of([name])
                after[less] = after.get(less, 0.0) + lost
        shares = {pattern: share for pattern, share in after.items() if share > 0}
    return shares


def _gaps(spec: TableSimulation) -> Iterator[tuple[str, float]]:
    """Modality -> I(it; Y | all the others) in bits."""
    law, whole = _law(spec), Pattern.of(spec.modalities)
    for name in spec.modalities:
        one = Pattern.of([name])
        yield name, law.gap(one, shown=whole - one)


def _sentence(missing: str, bits: float, spec: TableSimulation) -> str:
    rest = Pattern.of(spec.modalities) - Pattern.of([missing])
    accuracy = _law(spec).bayes_accuracy(rest)
    return (
        f"Given {rest}, {missing} tells {bits:.3f} bits of the label: so much the best log-loss "
        f"rises when it is missing, and no reader is then right more often than {accuracy:.3f}."
    )


def _law(spec: TableSimulation) -> DiscreteLaw:
    return DiscreteLaw(spec.modalities, spec.table)
