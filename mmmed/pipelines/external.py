"""Cohorts on which every model of a study is tested, and from which nothing is learned.

An external cohort is prepared by the study's own chains. All its labelled cases are test cases, of
every job alike; no case of it trains, validates or calibrates. It may lack a modality altogether:
then it shows the other patterns. Its cases may be called as cases of the study's own cohort are, so
it has a shelf of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from mmmed.cohorts.cohort import UNLABELLED, Case, Cohort, require_modalities
from mmmed.cohorts.splits import Fold
from mmmed.errors import DataError, StudyError
from mmmed.mechanism import Listed, TestProtocol
from mmmed.pipelines.materialise import Chosen, materialise
from mmmed.pipelines.overlap import require_strangers
from mmmed.pipelines.preparation import Stocked, stock
from mmmed.pipelines.resolve import Resolved
from mmmed.pipelines.tested import Tested, tested, withheld_columns
from mmmed.progress import Listener
from mmmed.record import cache, digest
from mmmed.training.predicting import View
from mmmed.training.shelf import Shelf

FOLDER = "external"
"""The folder of a run that holds one folder per external cohort."""


@dataclass(frozen=True)
class External:
    """An external cohort and what the test protocols make of it.

    Attributes:
        chosen: its settings.
        stocked: its labelled cases and their prepared items.
        truth: of a simulated cohort: the file that holds it.
        tested: the views of every labelled case, the same for every job.
        notes: what is worth knowing of it, in sentences.
    """

    chosen: Chosen
    stocked: Stocked
    truth: Path | None
    tested: Tested
    notes: tuple[str, ...]

    @property
    def name(self) -> str:
        """What tables call it."""
        return self.stocked.cohort.name

    def folder(self, run: Path) -> Path:
        """Where a run keeps what concerns it alone."""
        return run / FOLDER / folder_name(self.name)

    @property
    def abroad(self) -> Abroad:
        """What a job needs of it."""
        cohort = self.stocked.cohort
        return Abroad(
            cohort=cohort.name,
            shelf=self.stocked.shelf,
            cases={case.id: case for case in cohort.cases},
            views=self.tested.views,
            data=self.stocked.digest,
        )


@dataclass(frozen=True)
class Abroad:
    """What a job predicts beyond the cohort that it was made from.

    Attributes:
        cohort: its name.
        shelf: prepared items.
        cases: by id.
        views: what is scored.
        data: SHA-256 over the prepared items.
    """

    cohort: str
    shelf: Shelf
    cases: Mapping[str, Case]
    views: tuple[View, ...]
    data: str

    def settings(self) -> dict[str, Any]:
        """What predictions of it depend on, as plain values."""
        return {
            "cohort": self.cohort,
            "data": self.data,
            "labels": digest.of_value({name: case.label for name, case in self.cases.items()}),
            "views": digest.of_value(
                [[one.case, one.protocol, one.rate, str(one.pattern)] for one in self.views]
            ),
        }


def folder_name(cohort: str) -> str:
    """A cohort's name with a dash in place of what not every file system takes."""
    return "".join(sign if sign.isalnum() or sign in "-_" else "-" for sign in cohort)


def read_external(
    resolved: Resolved, own: Stocked, *, kept: Path | None = None, jobs: int, listener: Listener
) -> tuple[External, ...]:
    """Read, prepare and plan the external cohorts of a study.

    Args:
        resolved: the study.
        own: the cohort that models are made from, prepared.
        kept: where prepared items are kept; by default in the cache.
        jobs: processes that prepare.
        listener: hears how far it is, and what is left out.

    Raises:
        StudyError: classes differ from the study's own.
        DataError: no labelled case can be read, or items differ in shape from the study's own.
        LeakageError: an image or a row of the study's own cohort is in it.
    """
    prepared = cache.made("prepared") if kept is None else kept
    return tuple(
        _read(chosen, resolved, own, kept=prepared, jobs=jobs, listener=listener)
        for chosen in resolved.external
    )


def look_at_external(
    chosen: Chosen, resolved: Resolved, own: Cohort, *, jobs: int, listener: Listener
) -> tuple[Cohort, Path | None]:
    """An external cohort by its names and tables: its labelled cases that have something to show.

    Raises:
        StudyError: classes differ from the study's own.
        DataError: no labelled case owns a modality of the study.
    """
    known = set(chosen.reading.modalities)
    suv = resolved.suv & known
    cohort, truth = materialise(chosen, cache=cache.made(), jobs=jobs, listener=listener, suv=suv)
    _require_classes(cohort, own)
    cohort = cohort.only(known & resolved.chains.keys())
    labelled = tuple(case for case in cohort.cases if case.label != UNLABELLED)
    left = len(cohort.cases) - len(labelled)
    if not labelled:
        require_modalities(cohort, ())
        raise DataError(
            f"external cohort {cohort.name}: no case has a label; nothing can be tested"
        )
    if left:
        cohort = cohort.with_notes([f"{left} cases without a label are not tested"])
    cohort = replace(cohort, cases=labelled)
    owned = cohort.owned().any()
    return cohort.only([name for name in cohort.modalities if owned[name]]), truth


def _read(
    chosen: Chosen,
    resolved: Resolved,
    own: Stocked,
    *,
    kept: Path,
    jobs: int,
    listener: Listener,
) -> External:
    cohort, truth = look_at_external(chosen, resolved, own.cohort, jobs=jobs, listener=listener)
    protocols = resolved.study.protocols.test
    _views(protocols, cohort, truth)
    chains = {name: resolved.chains[name] for name in cohort.modalities}
    stocked = stock(cohort, chains, cache=kept, jobs=jobs, report=listener)
    _require_shapes(stocked, own)
    lacking = [name for name in own.shelf.names if name not in cohort.modalities]
    views, unasked = _views(protocols, stocked.cohort, truth)
    said = [
        *cohort.notes,
        *(f"no case has {name}" for name in lacking),
        *unasked,
        *require_strangers(own, stocked),
    ]
    where = f"external cohort {cohort.name}: "
    return External(
        chosen=chosen,
        stocked=replace(stocked, shelf=replace(stocked.shelf, modalities=own.shelf.modalities)),
        truth=truth,
        tested=views,
        notes=tuple(f"{where}{one}" for one in said),
    )


def _require_classes(cohort: Cohort, own: Cohort) -> None:
    if (cohort.classes, cohort.positive) == (own.classes, own.positive):
        return
    theirs, ours = (
        ", ".join(f"{name} (positive)" if name == one.positive else name for name in one.classes)
        for one in (cohort, own)
    )
    raise StudyError(
        f"external cohort {cohort.name}: its classes are {theirs or 'none'}, those of {own.name} "
        f"{ours}; give both cohorts the same classes in the same order"
    )


def _require_shapes(stocked: Stocked, own: Stocked) -> None:
    shapes = {one.name: one.shape for one in own.shelf.modalities}
    for one in stocked.shelf.modalities:
        if one.shape != shapes[one.name]:
            raise DataError(
                f"external cohort {stocked.cohort.name}: {one.name} is {one.shape} after "
                f"preparation, in {own.cohort.name} {shapes[one.name]}; end the chain with a step "
                "that gives all one shape, or name the same columns"
            )


def _views(
    protocols: Sequence[TestProtocol], cohort: Cohort, truth: Path | None
) -> tuple[Tested, list[str]]:
    """What protocols make of all its cases, and which of them cannot be asked of it.

    Raises:
        DataError: a covariate is missing for a case.
    """
    names = [case.id for case in cohort.cases]
    fold = Fold(FOLDER, pd.Series("test", index=pd.Index(names, name="case_id"), name="split"))
    withheld = withheld_columns(truth) if truth else None
    found: list[Tested] = []
    unasked: list[str] = []
    for protocol in protocols:
        if isinstance(protocol, Listed):
            unasked.append(f"not tested under {protocol.name}: its list is of other cases")
            continue
        try:
            found.append(tested([protocol], cohort, fold, withheld))
        except StudyError as error:
            unasked.append(f"not tested under {protocol.name}: {error}")
    return (
        Tested(
            views=tuple(view for one in found for view in one.views),
            sentences=tuple(line for one in found for line in one.sentences),
            presence=tuple(row for one in found for row in one.presence),
        ),
        unasked,
    )
