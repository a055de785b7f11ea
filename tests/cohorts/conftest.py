"""A BIDS folder of four cases, and tables of cases made of plain values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zlib import crc32

import nibabel as nib
import numpy as np
import pytest

from mmmed.cohorts.bids import BidsCohort
from mmmed.cohorts.caps import CapsCohort
from mmmed.cohorts.cohort import Case, Cohort
from mmmed.readers.source import Source

MODALITIES = {
    "mri": {"kind": "volume", "datatype": "anat", "suffix": "T1w"},
    "pet": {"kind": "volume", "datatype": "pet", "suffix": "pet", "entities": {"trc": "18FFDG"}},
}


@dataclass
class BidsTree:
    """A BIDS folder that is written as a test goes."""

    root: Path

    def volume(self, name: str, content: bytes | None = None) -> Path:
        """A small volume (or other bytes) at `sub-1/ses-2/anat/sub-1_ses-2_T1w.nii.gz`."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            data = (
                np.random.default_rng(crc32(name.encode()))
                .normal(size=(4, 4, 4))
                .astype(np.float32)
            )
            nib.save(nib.Nifti1Image(data, np.eye(4)), path)
        else:
            path.write_bytes(content)
        return path

    def case(self, subject: str, session: str | None, *modalities: str) -> None:
        """A case with one volume per modality."""
        case = subject if session is None else f"{subject}_{session}"
        folder = subject if session is None else f"{subject}/{session}"
        if "mri" in modalities:
            self.volume(f"{folder}/anat/{case}_T1w.nii.gz")
        if "pet" in modalities:
            self.volume(f"{folder}/pet/{case}_trc-18FFDG_pet.nii.gz")

    def table(self, name: str, *rows: str) -> Path:
        """A TSV; rows are written with blanks for tabs."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(row.replace(" ", "\t") + "\n" for row in rows), encoding="utf-8")
        return path

    def spec(self, **changes: Any) -> BidsCohort:
        """How the folder is read."""
        values = {
            "kind": "bids",
            "root": self.root,
            "modalities": MODALITIES,
            "label": {"column": "diagnosis", "classes": ["CN", "AD"]},
        }
        return BidsCohort.model_validate({**values, **changes})


@pytest.fixture
def empty_bids(tmp_path: Path) -> BidsTree:
    """A folder without subjects."""
    root = tmp_path / "bids"
    root.mkdir()
    return BidsTree(root)


@pytest.fixture
def bids(empty_bids: BidsTree) -> BidsTree:
    """Four subjects with sessions; sub-2 has no PET, sub-3 no MRI."""
    empty_bids.table(
        "participants.tsv",
        "participant_id age sex site diagnosis part",
        "sub-1 60.5 F A CN train",
        "sub-2 70 M B AD validation",
        "sub-3 n/a F A AD test",
        "sub-4 80 M n/a CN calibration",
    )
    empty_bids.case("sub-1", "ses-M000", "mri", "pet")
    empty_bids.case("sub-2", "ses-M000", "mri")
    empty_bids.case("sub-3", "ses-M000", "pet")
    empty_bids.case("sub-4", "ses-M000", "mri", "pet")
    return empty_bids


MakeCohort = Callable[..., Cohort]


@pytest.fixture
def make_cohort() -> MakeCohort:
    """A cohort from one tuple per case: (subject, label, site, what it owns, its part)."""

    def make(rows: Sequence[tuple[Any, ...]], classes: tuple[str, ...] = ("CN", "AD")) -> Cohort:
        cases = []
        for index, (subject, label, site, owned, part) in enumerate(rows):
            sources = {name: (Source(Path(f"{index}-{name}.nii")),) for name in owned}
            cases.append(
                Case(
                    id=f"case-{index:04d}",
                    subject=subject,
                    session=None,
                    site=site,
                    label=label,
                    part=part,
                    covariates=MappingProxyType({"age": 60.0 + index % 7}),
                    sources=MappingProxyType(sources),
                )
            )
        kinds = MappingProxyType({"mri": "volume", "pet": "volume"})
        return Cohort("made", classes, classes[-1], kinds, tuple(cases))

    return make


@dataclass
class CapsTree(BidsTree):
    """A CAPS folder that is written as a test goes."""

    def case(self, subject: str, session: str | None, *modalities: str) -> None:
        """A case with cropped images, as Clinica's pipelines name them."""
        folder, case = f"subjects/{subject}/{session}", f"{subject}_{session}"
        grid = "space-MNI152NLin2009cSym_desc-Crop_res-1x1x1"
        if "mri" in modalities:
            self.volume(f"{folder}/t1_linear/{case}_{grid}_T1w.nii.gz")
        if "pet" in modalities:
            self.volume(f"{folder}/pet_linear/{case}_trc-18FFDG_{grid}_suvr-pons_pet.nii.gz")

    def spec(self, **changes: Any) -> CapsCohort:
        """How the folder is read."""
        values = {
            "kind": "caps",
            "root": self.root,
            "modalities": CAPS_MODALITIES,
            "tables": [{"file": "labels.tsv"}],
            "label": {"column": "diagnosis", "classes": ["CN", "AD"]},
        }
        return CapsCohort.model_validate({**values, **changes})


CAPS_MODALITIES = {
    "mri": {"kind": "volume", "pipeline": "t1-linear"},
    "pet": {"kind": "volume", "pipeline": "pet-linear", "tracer": "18FFDG", "reference": "pons"},
}


@pytest.fixture
def caps(tmp_path: Path) -> CapsTree:
    """Three subjects; CLNC2 has no PET. Labels as ClinicaDL writes them."""
    root = tmp_path / "caps"
    root.mkdir()
    tree = CapsTree(root)
    tree.table(
        "labels.tsv",
        "participant_id session_id diagnosis age sex",
        "sub-CLNC1 ses-M000 CN 71.5 F",
        "sub-CLNC2 ses-M000 AD 80.0 M",
        "sub-CLNC3 ses-M000 AD 66.0 F",
    )
    tree.case("sub-CLNC1", "ses-M000", "mri", "pet")
    tree.case("sub-CLNC2", "ses-M000", "mri")
    tree.case("sub-CLNC3", "ses-M000", "mri", "pet")
    return tree
