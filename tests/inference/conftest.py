"""A package of an untrained model, and BIDS folders of 8^3 volumes to predict."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch

from mmmed.modality import Modality
from mmmed.models.building import build, options
from mmmed.readers.source import Source
from mmmed.record import cache
from mmmed.training import package
from mmmed.training.calibrate import calibrate
from mmmed.training.origin import Origin
from mmmed.training.shelf import Shelf
from mmmed.transforms.chain import Chain
from mmmed.transforms.prepare import prepare
from mmmed.transforms.prepared import Prepared

SHAPE = (1, 8, 8, 8)
CHAIN = Chain.model_validate(
    {
        "item": "volume",
        "prepare": [{"kind": "resize", "shape": [8, 8, 8]}, {"kind": "z-score", "within": "all"}],
        "mirror": True,
    }
)
CHAINS = {"mri": CHAIN, "pet": CHAIN}
FILES = {"mri": "anat/{case}_T1w.nii.gz", "pet": "pet/{case}_trc-18FFDG_pet.nii.gz"}
READING = {
    "kind": "bids",
    "modalities": {
        "mri": {"kind": "volume", "datatype": "anat", "suffix": "T1w"},
        "pet": {"kind": "volume", "datatype": "pet", "suffix": "pet"},
    },
    "label": {"column": "diagnosis", "classes": ["CN", "AD"]},
    "positive": "AD",
}
MET = ("sub-01", "sub-02")
"""Subjects of the calibration part."""

Write = Callable[..., Path]


def path_of(root: Path, subject: str, modality: str) -> Path:
    return root / subject / FILES[modality].format(case=subject)


@pytest.fixture(scope="session")
def write() -> Write:
    """Write a volume of a subject, the same one for the same subject and modality."""

    def written(root: Path, subject: str, modality: str, *, size: int = 8) -> Path:
        path = path_of(root, subject, modality)
        path.parent.mkdir(parents=True, exist_ok=True)
        random = np.random.default_rng(sum(map(ord, subject + modality)))
        data = random.normal(size=(size,) * 3).astype(np.float32)
        nib.save(nib.Nifti1Image(data, np.diag([4.0, 4.0, 4.0, 1.0])), path)
        return path

    return written


@pytest.fixture
def bids(tmp_path: Path, write: Write) -> Path:
    """Five subjects: two that the package met, one with both scans, one each with one scan."""
    root = tmp_path / "bids"
    for subject in (*MET, "sub-03"):
        write(root, subject, "mri"), write(root, subject, "pet")
    write(root, "sub-04", "mri")
    write(root, "sub-05", "pet")
    return root


@pytest.fixture
def model(bids: Path, tmp_path: Path) -> Path:
    """An untrained package, calibrated on the two subjects it met."""
    torch.set_num_threads(1)
    chosen = options("late-sum")()
    modalities = tuple(Modality(name, "volume", SHAPE) for name in CHAINS)
    torch.manual_seed(0)
    built = build(chosen, modalities, classes=2, standards={}).eval()
    shelf = shelf_of(bids, MET)
    calibrated = calibrate(
        built, shelf, MET, mirror=CHAINS, classes=("CN", "AD"), positive="AD", threshold=0.5,
        coverage=0.9,
    )  # fmt: skip
    package.save(
        tmp_path / "model",
        model=built,
        options=chosen,
        chains=CHAINS,
        classes=("CN", "AD"),
        positive="AD",
        calibrated=calibrated,
        statistics={},
        origin=Origin(
            study={"study": "ad/small"},
            reading=READING,
            seed=0,
            fold="holdout",
            train="complete",
            subjects={"train": (), "calibration": MET},
        ),
    )
    return tmp_path / "model"


def shelf_of(root: Path, subjects: tuple[str, ...]) -> Shelf:
    """Both scans of each subject, prepared by the package's chains."""
    items: dict[str, dict[str, tuple[Prepared, ...]]] = {one: {} for one in subjects}
    for name, chain in CHAINS.items():
        sources = [Source(path_of(root, one, name)) for one in subjects]
        done = prepare(sources, chain, kind="volume", cache=cache.folder())
        for subject, item in zip(subjects, done, strict=True):
            assert isinstance(item, Prepared), item
            items[subject][name] = (item,)
    return Shelf(
        modalities=tuple(Modality(name, "volume", SHAPE) for name in CHAINS),
        items=items,
        label={one: number % 2 for number, one in enumerate(subjects)},
        subject={one: one for one in subjects},
    )
