"""Cohorts kept as BIDS folders.

Cases come from the directories `sub-*/[ses-*/]`, not from tables. Clinical variables come from
`phenotype/*.tsv`. Several runs are several items of one modality of one case.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from mmmed.cohorts.assembly import ModalityName
from mmmed.cohorts.cohort import Cohort, Fault
from mmmed.cohorts.phenotype import Phenotype, read_phenotype
from mmmed.cohorts.place import Place, checked_root, listed
from mmmed.cohorts.tree import Tree, read_tree
from mmmed.config import Spec
from mmmed.errors import DataError
from mmmed.readers import entities
from mmmed.readers.entities import VOLUME_ENDINGS, Entities
from mmmed.readers.source import Source


class BidsVolumes(Spec):
    """A modality whose items are volumes.

    Attributes:
        datatype: the folder: `anat`, `pet`.
        suffix: the last part of the name: `T1w`, `pet`.
        entities: what else the name must say (`trc: 18FFDG`); null for what it must not hold.
    """

    kind: Literal["volume"]
    datatype: str
    suffix: str
    entities: dict[str, str | None] = Field(default_factory=dict)


class BidsVectors(Spec):
    """A modality whose item is the row of a phenotype table.

    Attributes:
        table: the name of `phenotype/<table>.tsv`.
        columns: what makes the vector; empty for every column but the ids.
    """

    kind: Literal["vector"]
    table: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]
    columns: tuple[str, ...] = ()


BidsModality = Annotated[BidsVolumes | BidsVectors, Field(discriminator="kind")]


class BidsCohort(Tree):
    """A BIDS folder and which of its files are which modality.

    Attributes:
        modalities: name -> where its items are.
    """

    kind: Literal["bids"]
    modalities: Annotated[dict[ModalityName, BidsModality], Field(min_length=1)]


def read_bids(spec: BidsCohort, name: str) -> Cohort:
    """The cohort in a BIDS folder; files are found by name, none is opened but tables.

    Raises:
        StudyError: the spec names no root.
        NothingReadable: there is no such folder, no `sub-*` in it, or no case is left.
        DataError: a table is missing or broken, a label is outside the classes, a class is empty.
    """
    root = checked_root(spec.root, name, below=".", what="BIDS")
    phenotypes = {
        modality: read_phenotype(root / "phenotype" / f"{one.table}.tsv", columns=one.columns)
        for modality, one in spec.modalities.items()
        if isinstance(one, BidsVectors)
    }

    def find(place: Place, faults: list[Fault]) -> dict[str, tuple[Source, ...]]:
        return _items(place, spec, phenotypes, faults)

    return read_tree(
        spec,
        name,
        root=root,
        below=".",
        kinds={modality: one.kind for modality, one in spec.modalities.items()},
        find=find,
        called={modality: called(one) for modality, one in spec.modalities.items()},
        tables=(one.path for one in phenotypes.values()),
    )


def called(one: BidsVolumes | BidsVectors) -> tuple[str, ...]:
    """What Clinica's tables of missing modalities call a modality; nothing for vectors."""
    if isinstance(one, BidsVectors):
        return ()
    if one.datatype != "pet":
        return (one.suffix.lower(),)
    return tuple(
        f"pet_{key}-{label}".lower() for key, label in one.entities.items() if label is not None
    )


def _items(
    place: Place,
    spec: BidsCohort,
    phenotypes: Mapping[str, Phenotype],
    faults: list[Fault],
) -> dict[str, tuple[Source, ...]]:
    """What a case owns, by modality."""
    items: dict[str, tuple[Source, ...]] = {}
    for modality, one in spec.modalities.items():
        if isinstance(one, BidsVectors):
            table = phenotypes[modality]
            items[modality] = table.item(place.case, place.subject, place.session, modality, faults)
        else:
            items[modality] = _volumes(
                place.folder / one.datatype, one, modality, place.case, faults
            )
    return items


def _volumes(
    folder: Path, modality: BidsVolumes, name: str, case: str, faults: list[Fault]
) -> tuple[Source, ...]:
    """The volumes of one modality of one case; two files for one item are refused both."""
    found: dict[tuple[tuple[str, str], ...], list[Path]] = {}
    for path in listed(folder):
        parsed = _matching(path, modality)
        if parsed is None:
            continue
        if parsed.case != case:
            faults.append(Fault(case, name, f"{path.name} is named for {parsed.case}; left out"))
            continue
        found.setdefault(tuple(sorted(parsed.others.items())), []).append(path)
    for paths in found.values():
        if len(paths) > 1:
            names = " and ".join(path.name for path in paths)
            faults.append(Fault(case, name, f"two files for one item: {names}; keep one"))
    return tuple(Source(paths[0]) for _, paths in sorted(found.items()) if len(paths) == 1)


def _matching(path: Path, modality: BidsVolumes) -> Entities | None:
    if not path.name.endswith(VOLUME_ENDINGS):
        return None
    try:
        parsed = entities.parse(path.name)
    except DataError:
        return None
    fits = parsed.suffix == modality.suffix and all(
        parsed.others.get(key) == label for key, label in modality.entities.items()
    )
    return parsed if fits else None
