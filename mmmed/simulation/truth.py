"""What is true of a simulated cohort, as plain values: `truth.json` and `ceilings.json`.

A ceiling is {"auroc", "accuracy", "error"}, `error` being the larger Monte-Carlo standard error.
The images show age, sex and site, so where these tell something of the label `ceiling_images` and
`ceiling_all` know them, and the same without them stand under `without_covariates`.
A ceiling is null, and an oracle's log-odds are left out, where none is known: for the PET alone
when it shows atrophy.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from mmmed.mechanism import Complete, EveryPattern, Listed, Mechanism, TestProtocol, at_rate, rates
from mmmed.modality import Pattern, every_pattern
from mmmed.simulation.ceiling import Ceilings, ceiling, information, pattern_ceiling
from mmmed.simulation.law import BURDENS
from mmmed.simulation.oracle import Knowledge, World, reader_log_odds
from mmmed.simulation.selection import can_leave
from mmmed.simulation.spec import AdSimulation

PATTERNS = every_pattern(BURDENS)
PET_ALONE = Pattern.of(["pet"])
MIXED = "mixed"
"""The pattern of a table in which cases show different ones."""


def truth(spec: AdSimulation, subjects: pd.DataFrame) -> dict[str, Any]:
    """What `truth.json` holds: law, ceilings, and every case's burdens and oracle log-odds."""
    bits = information(_world(spec))
    return {
        "law": spec.law.model_dump(mode="json"),
        "seed": spec.seed,
        "matched": spec.test == "matched",
        "pet_anatomy": spec.pet_anatomy,
        "ceilings": {str(pattern): pattern_row(spec, pattern) for pattern in PATTERNS},
        "ceiling_on_disk": protocol_row(spec, Complete()),
        "information_bits": bits.value,
        "information_bits_error": bits.error,
        "cases": _cases(spec, subjects),
    }


def ceilings(spec: AdSimulation, protocols: Sequence[TestProtocol]) -> dict[str, Any]:
    """What `ceilings.json` holds: a row per table of results, and notes to stand beside them.

    Args:
        spec: the cohort.
        protocols: of the test; lists of rates make a row each, `list` makes none.

    Raises:
        StudyError: absence depends on what simulated subjects lack, or both natural absence and
            a protocol depend on something.
    """
    return {
        "rows": [row for protocol in protocols for row in _rows(spec, protocol)],
        "notes": notes(spec),
    }


def notes(spec: AdSimulation) -> list[str]:
    """Sentences without which the scores of this cohort would be misread."""
    bits = information(_world(spec))
    gain = f"{bits.value:.3f} bits of the label (standard error {bits.error:.4f})"
    said = [
        f"Given the MRI, the PET tells {gain}: so much the best log-loss rises when it is missing."
    ]
    if spec.test == "matched":
        said.append(
            "The burdens of the test cases are matched to the law's mean and covariance: "
            "intervals are conditional on such a set, and wider than needed for the oracle."
        )
    if _unknown(spec):
        said.append("The PET shows atrophy, so no ceiling is known for the PET alone.")
    if _world(spec).covariates_tell:
        said.append("Ceilings and oracle know age, sex and site, which the images show.")
    return said


def pattern_row(spec: AdSimulation, pattern: Pattern) -> dict[str, Any] | None:
    """The ceilings when every subject shows `pattern`; null where none is known."""
    if pattern in _unknown(spec):
        return None

    def known(covariates: bool) -> Ceilings:
        images = pattern_ceiling(_world(spec), pattern, covariates=covariates)
        return Ceilings(images=images, all=images)

    row = known(True).to_json()
    return _beside(row, known(False)) if _world(spec).covariates_tell else row


def protocol_row(spec: AdSimulation, protocol: Mechanism | Complete) -> dict[str, Any] | None:
    """The ceilings when a protocol at one rate hides modalities, natural absence included."""
    if any(can_leave(pattern, [spec.missing, protocol]) for pattern in _unknown(spec)):
        return None
    world = _world(spec)
    row = ceiling(world, protocol, natural=spec.missing, covariates=True).to_json()
    if not world.covariates_tell:
        return row
    return _beside(row, ceiling(world, protocol, natural=spec.missing, covariates=False))


def _rows(spec: AdSimulation, protocol: TestProtocol) -> Iterator[dict[str, Any]]:
    head = {"protocol": protocol.name, "rate": None}
    if isinstance(protocol, EveryPattern):
        for pattern in PATTERNS:
            yield {**head, "pattern": str(pattern), **(pattern_row(spec, pattern) or {})}
    elif isinstance(protocol, Complete):
        yield {**head, "pattern": MIXED, **(protocol_row(spec, protocol) or {})}
    elif not isinstance(protocol, Listed):
        for rate in rates(protocol):
            known = protocol_row(spec, at_rate(protocol, rate)) or {}
            yield {**head, "rate": rate, "pattern": MIXED, **known}


def _beside(row: dict[str, Any], without: Ceilings) -> dict[str, Any]:
    return {**row, "without_covariates": without.to_json()}


def _unknown(spec: AdSimulation) -> tuple[Pattern, ...]:
    """Patterns whose images show more than their own burdens."""
    return (PET_ALONE,) if spec.pet_anatomy == "atrophied" else ()


def _world(spec: AdSimulation) -> World:
    return World(law=spec.law, population=spec.population)


def _cases(spec: AdSimulation, subjects: pd.DataFrame) -> dict[str, Any]:
    scores = {
        str(pattern): reader_log_odds(_world(spec), subjects, Knowledge(pattern, covariates=True))
        for pattern in PATTERNS
        if pattern not in _unknown(spec)
    }
    return {
        str(case): {
            "part": row["part"],
            "label": int(row["label"]),
            **{column: float(row[column]) for column in BURDENS.values()},
            "log_odds": {pattern: float(score[place]) for pattern, score in scores.items()},
        }
        for place, (case, row) in enumerate(subjects.to_dict("index").items())
    }
