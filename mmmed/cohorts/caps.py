"""Cohorts kept as CAPS, the folder that Clinica's pipelines write.

    subjects/<participant>/<session>/t1_linear/<source>_space-<s>[_desc-Crop]_res-<r>_T1w
    subjects/<participant>/<session>/pet_linear/<source>_space-<s>[_desc-Crop]_res-<r>_suvr-<r>_pet

`<source>` is the BIDS name of the scan, in older versions with its suffix (`_T1w_space-`). Images
are on the template's grid already, as their names say, PET as SUVR; `desc-Crop` are cropped.
Labels come from a table of participants and sessions, such as ClinicaDL's `labels.tsv`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from mmmed.cohorts.assembly import ModalityName
from mmmed.cohorts.cohort import Cohort, Fault
from mmmed.cohorts.place import Place, checked_root, listed
from mmmed.cohorts.tree import Tree, read_tree
from mmmed.config import Spec
from mmmed.errors import DataError
from mmmed.readers.entities import VOLUME_ENDINGS, Entities, parse_derivative
from mmmed.readers.source import Source

SUBJECTS = "subjects"

_FOLDERS = {"t1-linear": ("t1_linear", "T1w"), "pet-linear": ("pet_linear", "pet")}
"""Pipeline -> its folder, and the suffix of its images."""


class CapsVolumes(Spec):
    """A modality whose items one of Clinica's pipelines wrote.

    Attributes:
        pipeline: that wrote them.
        cropped: whether the cropped image is the item, or the uncropped one.
        tracer: of `pet-linear`, as in `trc-18FFDG`.
        reference: of `pet-linear`, the region whose mean is 1, as in `suvr-pons`.
    """

    kind: Literal["volume"]
    pipeline: Literal["t1-linear", "pet-linear"]
    cropped: bool = True
    tracer: str | None = None
    reference: str | None = None

    @model_validator(mode="after")
    def _one_scale(self) -> CapsVolumes:
        """PETs of several tracers or reference regions are no one modality."""
        named = (self.tracer is not None, self.reference is not None)
        if self.pipeline == "pet-linear" and not all(named):
            raise ValueError("pet-linear needs tracer and reference")
        if self.pipeline == "t1-linear" and any(named):
            raise ValueError("t1-linear has neither tracer nor reference")
        return self

    @property
    def called(self) -> tuple[str, ...]:
        """What Clinica's tables of missing modalities may call it."""
        if self.tracer is None:
            return ("t1w",)
        return (f"pet_trc-{self.tracer}".lower(), f"pet_acq-{self.tracer}".lower())


class CapsCohort(Tree):
    """A CAPS folder and which of its files are which modality.

    Attributes:
        modalities: name -> pipeline, and for PET tracer and reference region.
    """

    kind: Literal["caps"]
    modalities: Annotated[dict[ModalityName, CapsVolumes], Field(min_length=1)]


def read_caps(spec: CapsCohort, name: str) -> Cohort:
    """The cohort in a CAPS folder; files are found by name, none is opened but tables.

    Raises:
        StudyError: the spec names no root.
        NothingReadable: there is no such folder, no `subjects/sub-*` in it, or no case is left.
        DataError: a table is missing or broken, a label is outside the classes, a class is empty.
    """
    root = checked_root(spec.root, name, below=SUBJECTS, what="CAPS")

    def find(place: Place, faults: list[Fault]) -> dict[str, tuple[Source, ...]]:
        return {
            modality: _volumes(place, one, modality, faults)
            for modality, one in spec.modalities.items()
        }

    return read_tree(
        spec,
        name,
        root=root,
        below=SUBJECTS,
        kinds={modality: one.kind for modality, one in spec.modalities.items()},
        find=find,
        called={modality: one.called for modality, one in spec.modalities.items()},
    )


def _volumes(place: Place, one: CapsVolumes, name: str, faults: list[Fault]) -> tuple[Source, ...]:
    """The images of one pipeline of one case; two files for one item are refused both."""
    found: dict[tuple[tuple[str, str], ...], list[Path]] = {}
    for path in listed(place.folder / _FOLDERS[one.pipeline][0]):
        parsed = _matching(path, one)
        if parsed is None:
            continue
        if parsed.case != place.case:
            reason = f"{path.name} is named for {parsed.case}; left out"
            faults.append(Fault(place.case, name, reason))
            continue
        found.setdefault(tuple(sorted(parsed.others.items())), []).append(path)
    for paths in found.values():
        if len(paths) > 1:
            names = " and ".join(path.name for path in paths)
            faults.append(Fault(place.case, name, f"two files for one item: {names}; keep one"))
    return tuple(Source(paths[0]) for _, paths in sorted(found.items()) if len(paths) == 1)


def _matching(path: Path, one: CapsVolumes) -> Entities | None:
    """What the name says, where the image is of the template's space and as the cohort says."""
    if not path.name.endswith(VOLUME_ENDINGS):
        return None
    try:
        parsed = parse_derivative(path.name)
    except DataError:
        return None
    told = parsed.others
    fits = (
        parsed.suffix == _FOLDERS[one.pipeline][1]
        and told.get("space", "").startswith("MNI152")
        and (told.get("desc") == "Crop") == one.cropped
        and (one.tracer is None or told.get("trc", told.get("acq")) == one.tracer)
        and told.get("suvr") == one.reference
    )
    return parsed if fits else None
