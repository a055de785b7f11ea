"""What is known of a simulated cohort, put beside the run: `truth.json` and `ceilings.json`."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from mmmed.cohorts.reading import CohortSpec
from mmmed.mechanism import EveryPattern, TestProtocol
from mmmed.modality import Pattern, every_pattern
from mmmed.pipelines import discrete_ceilings
from mmmed.pipelines.materialise import (
    Simulated,
    SimulatedBreakHis,
    SimulatedCohort,
    SimulatedSlides,
    SimulatedTable,
)
from mmmed.pipelines.plan import FoldPlan
from mmmed.pipelines.preparation import Stocked
from mmmed.pipelines.random_ceilings import rows
from mmmed.pipelines.resolve import Resolved
from mmmed.record import atomic
from mmmed.simulation.law import BURDENS
from mmmed.simulation.probe import attainable
from mmmed.simulation.tissue.law import MAGNIFICATIONS, best
from mmmed.simulation.tissue.spec import BreakHisSimulation
from mmmed.simulation.truth import ceilings
from mmmed.transforms.prepare import load


def write_known(
    where: Path, resolved: Resolved, stocked: Stocked, folds: Sequence[FoldPlan], *, truth: Path
) -> tuple[str, ...]:
    """Copy the truth into the run folder and state the ceiling of each of its tables.

    Beside the ceilings of scans stands what ridge regression, told the burdens of the training
    subjects, reads from them; it is read from what the first fold shows, so no hidden scan is
    opened.

    Returns:
        What is known of the law, in sentences.
    """
    shutil.copyfile(truth, where / "truth.json")
    spec = resolved.cohort.spec
    known = _ceilings(spec, resolved.study.protocols.test, truth)
    if known is None:
        return ()
    read: dict[str, float] = {}
    if isinstance(spec, SimulatedCohort):
        read = _attainable(stocked, folds[0], atomic.read_json(truth)["cases"])
    sentences = [
        f"Ridge regression, told the burdens of the training cases, attains an AUROC of "
        f"{auroc:.3f} from {pattern} on the test cases."
        for pattern, auroc in read.items()
    ]
    atomic.write_json(
        where / "ceilings.json",
        {**known, "attainable": read, "notes": [*known["notes"], *sentences]},
    )
    return tuple(known["notes"])


def write_known_external(
    where: Path, spec: CohortSpec | Simulated, protocols: Sequence[TestProtocol], *, truth: Path
) -> tuple[str, ...]:
    """Copy the truth of an external cohort into its folder, and state its own ceilings.

    No read-out is made there: whoever is told the burdens of its cases has learned from it.

    Returns:
        What is known of its law, in sentences.
    """
    atomic.made(where, advice="choose another --out")
    shutil.copyfile(truth, where / "truth.json")
    known = _ceilings(spec, protocols, truth)
    if known is None:
        return ()
    atomic.write_json(where / "ceilings.json", {**known, "attainable": {}})
    return tuple(known["notes"])


def _ceilings(
    spec: CohortSpec | Simulated, protocols: Sequence[TestProtocol], truth: Path
) -> dict[str, Any] | None:
    if isinstance(spec, SimulatedTable):
        return discrete_ceilings.ceilings(spec.simulation, protocols)
    if isinstance(spec, SimulatedBreakHis):
        return _of_tissue(spec.simulation, protocols)
    if isinstance(spec, SimulatedSlides):
        return _of_slides(atomic.read_json(truth)["ceilings"], protocols)
    if isinstance(spec, SimulatedCohort):
        return ceilings(spec.simulation, protocols)
    return None


def _of_tissue(spec: BreakHisSimulation, protocols: Sequence[TestProtocol]) -> dict[str, Any]:
    """Where slides lack magnifications from the start, only forced tables have a known mixture."""
    known = protocols if not spec.missing else [p for p in protocols if isinstance(p, EveryPattern)]
    found = partial(best, spec.law, prior=spec.prior)
    return {"rows": rows(tuple(MAGNIFICATIONS), known, found), "notes": []}


def _of_slides(
    ceilings: Mapping[str, dict[str, float]], protocols: Sequence[TestProtocol]
) -> dict[str, Any]:
    """Some slides lack a magnification from the start: of forced tables alone it is known."""
    forced = [one for one in protocols if isinstance(one, EveryPattern)]
    names = sorted({name for pattern in ceilings for name in Pattern.parse(pattern).names})

    def found(shares: Mapping[Pattern, float]) -> dict[str, float]:
        (pattern,) = shares
        return ceilings[str(pattern)]

    return {"rows": rows(names, forced, found), "notes": []}


def _attainable(stocked: Stocked, fold: FoldPlan, truth: Mapping[str, Any]) -> dict[str, float]:
    """Pattern -> AUROC that ridge read-outs attain on the test cases."""
    found: dict[str, float] = {}
    for pattern in every_pattern(name for name in BURDENS if name in stocked.shelf.names):
        train = [case for case in fold.fold.cases("train") if pattern <= fold.shown[case]]
        test = [case for case in fold.fold.cases("test") if pattern <= stocked.shelf.owned(case)]
        labels = [{truth[case]["label"] for case in cases} for cases in (train, test)]
        if all(len(classes) == 2 for classes in labels):
            found |= _read(stocked, pattern, train, test, truth)
    return found


def _read(
    stocked: Stocked,
    pattern: Pattern,
    train: Sequence[str],
    test: Sequence[str],
    truth: Mapping[str, Any],
) -> dict[str, float]:
    """Pattern -> AUROC; nothing where too few training cases show it."""
    read = attainable(
        {name: _images(stocked, train, name) for name in pattern},
        {name: np.array([truth[case][BURDENS[name]] for case in train]) for name in pattern},
        {name: _images(stocked, test, name) for name in pattern},
        label_train=np.array([truth[case]["label"] for case in train]),
        label_test=np.array([truth[case]["label"] for case in test]),
    )
    return {name: auroc for name, auroc in read.items() if name == str(pattern)}


def _images(stocked: Stocked, cases: Sequence[str], modality: str) -> np.ndarray:
    """(n, voxels) the first item of each case."""
    return np.stack([load(stocked.shelf.items[case][modality][0]).ravel() for case in cases])
