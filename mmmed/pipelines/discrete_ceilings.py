"""The ceilings of a cohort whose law is a table: sums over its cells, without error.

Modalities are hidden at random here, so absence tells nothing and both ceilings are one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from mmmed.evaluation.information import DiscreteLaw
from mmmed.mechanism import TestProtocol
from mmmed.modality import Pattern
from mmmed.pipelines.random_ceilings import rows
from mmmed.simulation.discrete import TableSimulation, log_odds


def ceilings(spec: TableSimulation, protocols: Sequence[TestProtocol]) -> dict[str, Any]:
    """What `ceilings.json` holds: a row per table of results, the gaps in bits, and notes.

    Args:
        spec: the cohort.
        protocols: of the test; those whose absence depends on something make no row.
    """
    gaps = dict(_gaps(spec))
    return {
        "rows": rows(spec.modalities, protocols, partial(ceiling, spec)),
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
