"""Every fault of a study at once, and of what it names.

A check goes on behind each fault: a study with a typo does not keep it from the cohort and the
chains that it names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mmmed import config, library
from mmmed.cohorts import ledger
from mmmed.cohorts.cohort import require_modalities
from mmmed.errors import Collecting
from mmmed.models.building import weights_file
from mmmed.pipelines import availability
from mmmed.pipelines.check import Checked
from mmmed.pipelines.external import look_at_external
from mmmed.pipelines.materialise import Simulated, choose, materialise
from mmmed.pipelines.plan import plan, realised, refusals, remarks
from mmmed.pipelines.resolve import Resolved, resolve
from mmmed.pipelines.study import SHORTHANDS, CohortChoice, Study, load_study
from mmmed.progress import Silent
from mmmed.record import cache
from mmmed.transforms.chain import load_chain


def check_study(
    name: str, *, settings: Sequence[str], start: Path | None, out: Path | None = None
) -> Checked:
    """Read a study, what it names, and the tables and file names of a real cohort.

    Images are not opened, DICOM series with a rival apart: checking their folder is for that.

    Args:
        name: of the study.
        settings: `key.sub=value`.
        start: where the search for a workspace begins.
        out: where the ledger is written; a simulated cohort is made for it. None writes none.
    """
    faults: list[str] = []
    sentences: list[str] = []
    study = None
    with Collecting(faults):
        study = load_study(name, settings=settings, start=start)
    if study is None:
        _check_named(name, settings, start, faults)
        return Checked((), tuple(dict.fromkeys(faults)))
    with Collecting(faults):
        resolved = resolve(study, start=start)
        sentences.append(f"{name}: digest {resolved.digest[:16]}")
        faults += _weight_faults(study)
        sentences += _check_cohort(study, resolved, faults, out)
    return Checked(tuple(sentences), tuple(dict.fromkeys(faults)))


def _check_cohort(
    study: Study, resolved: Resolved, faults: list[str], out: Path | None
) -> list[str]:
    """What the tables and file names of a real cohort say, and what the study makes of them."""
    if isinstance(resolved.cohort.spec, Simulated) and out is None:
        return []
    whole, truth = materialise(
        resolved.cohort, cache=cache.made(), jobs=1, listener=Silent(), suv=resolved.suv
    )
    cohort = whole.only(resolved.chains)
    effects = availability.effects(cohort)
    if out is not None:
        root = getattr(resolved.cohort.spec, "root", None)
        availability.write(cohort, effects, out, root=root)
    faults += [str(fault) for fault in cohort.faults]
    with Collecting(faults):
        require_modalities(cohort, resolved.chains)
    sentences: list[str] = []
    with Collecting(faults):
        folds = plan(study, cohort, truth=truth)
        sentences += [*realised(folds), *remarks(folds)]
        faults += refusals(folds)
    for chosen in resolved.external:
        if not isinstance(chosen.spec, Simulated) or out is not None:
            with Collecting(faults):
                other, _ = look_at_external(chosen, resolved, cohort, jobs=1, listener=Silent())
                faults += [f"external cohort {other.name}: {fault}" for fault in other.faults]
    return [*ledger.sentences(cohort), *cohort.notes, *availability.told(effects), *sentences]


def _weight_faults(study: Study) -> list[str]:
    """Files of starting weights that are not there; their jobs alone would fail."""
    files = {index: weights_file(method) for index, method in enumerate(study.methods)}
    return [
        f"study {study.study}: methods.{index}: {file}: is not there; fetch it, or leave weights "
        "out"
        for index, file in files.items()
        if file is not None and not file.is_file()
    ]


def _check_named(name: str, settings: Sequence[str], start: Path | None, faults: list[str]) -> None:
    """The faults of the cohort and the chains that a faulty study names all the same."""
    values: Mapping[str, Any] = {}
    with Collecting(faults):
        document = config.read(library.find("pipelines", name, start=start).path)
        values = config.override(document, settings, shorthands=SHORTHANDS).values
    choice = _choice(values.get("cohort"))
    if choice is not None:
        with Collecting(faults):
            choose(choice, start=start)
    chains = values.get("transforms")
    for chain in chains.values() if isinstance(chains, dict) else ():
        if isinstance(chain, str):
            with Collecting(faults):
                load_chain(library.find("transforms", chain, start=start))


def _choice(named: Any) -> CohortChoice | None:
    """The cohort a faulty study names; None where that is a fault already."""
    try:
        return CohortChoice.model_validate({"name": named} if isinstance(named, str) else named)
    except ValidationError:
        return None
