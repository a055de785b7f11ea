"""What is known of a simulated cohort, put beside the run: `truth.json` and `ceilings.json`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmmed.absence import Complete, EveryPattern, Listed, at_rate, rates
from mmmed.evaluation.predictions import FORCED, MIXED
from mmmed.pipelines.materialise import SimulatedCohort
from mmmed.pipelines.plan import FoldPlan
from mmmed.pipelines.preparation import Stocked
from mmmed.pipelines.resolve import Resolved
from mmmed.record import atomic
from mmmed.simulation.probe import attainable
from mmmed.simulation.spec import AdSimulation
from mmmed.simulation.truth import protocol_ceiling
from mmmed.transforms.prepare import load

BURDEN = {"mri": "z_mri", "pet": "z_pet"}
"""Modality -> the burden its images show."""


def write_known(
    where: Path, resolved: Resolved, stocked: Stocked, folds: Sequence[FoldPlan], *, truth: Path
) -> None:
    """Copy the truth into the run folder and state the ceiling of each of its tables.

    The ridge-read attainable AUROC is read from the scans that the first fold shows; no hidden
    scan is opened for it.
    """
    shutil.copyfile(truth, where / "truth.json")
    known = json.loads(truth.read_text(encoding="utf-8"))
    spec = resolved.cohort.spec
    if not isinstance(spec, SimulatedCohort):
        return
    read = _attainable(stocked, folds[0], known["cases"])
    atomic.write_json(
        where / "ceilings.json",
        {
            "rows": _rows(resolved, spec.simulation, known),
            "information_bits": known["information_bits"],
            "information_bits_error": known["information_bits_error"],
            "attainable": read,
            "notes": _notes(known, read),
        },
    )


def _rows(
    resolved: Resolved, simulation: AdSimulation, known: Mapping[str, Any]
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for protocol in resolved.study.protocols.test:
        if isinstance(protocol, EveryPattern):
            rows += [
                {"protocol": FORCED, "rate": None, "pattern": pattern, **(ceiling or {})}
                for pattern, ceiling in known["ceilings"].items()
            ]
        elif isinstance(protocol, Complete):
            ceiling = protocol_ceiling(simulation, protocol)
            rows.append(
                {"protocol": protocol.kind, "rate": None, "pattern": MIXED, **(ceiling or {})}
            )
        elif not isinstance(protocol, Listed):
            for rate in rates(protocol):
                ceiling = protocol_ceiling(simulation, at_rate(protocol, rate))
                rows.append(
                    {"protocol": protocol.kind, "rate": rate, "pattern": MIXED, **(ceiling or {})}
                )
    return rows


def _attainable(
    stocked: Stocked, fold: FoldPlan, truth: Mapping[str, Any]
) -> dict[str, float | None]:
    """Modality -> AUROC of the burden that ridge regression reads from the test scans."""
    found: dict[str, float | None] = {}
    for modality, burden in BURDEN.items():
        if modality not in stocked.shelf.names:
            continue
        train = [case for case in fold.fold.cases("train") if modality in fold.shown[case]]
        test = [case for case in fold.fold.cases("test") if modality in stocked.shelf.items[case]]
        found[modality] = attainable(
            _images(stocked, train, modality),
            np.array([truth[case][burden] for case in train]),
            _images(stocked, test, modality),
            np.array([truth[case]["label"] for case in test]),
        )
    return found


def _images(stocked: Stocked, cases: Sequence[str], modality: str) -> np.ndarray:
    """(n, voxels) the first item of each case."""
    return np.stack([load(stocked.shelf.items[case][modality][0]).ravel() for case in cases])


def _notes(known: Mapping[str, Any], read: Mapping[str, float | None]) -> list[str]:
    notes = [
        f"Best possible AUROC from {pattern} alone: {ceiling['ceiling_images']['auroc']:.4f}."
        for pattern, ceiling in known["ceilings"].items()
        if ceiling
    ]
    notes += [
        f"AUROC of the burden that ridge regression, told the truth, reads from {name}: {auroc:.3f}."
        for name, auroc in read.items()
        if auroc is not None
    ]
    notes.append(f"I(label; PET | MRI) = {known['information_bits']:.3f} bits.")
    if known["matched"]:
        notes.append(
            "The test subjects' burdens are moment-matched: intervals are conditional on that "
            "and, for independent subjects, a little too wide."
        )
    return notes
