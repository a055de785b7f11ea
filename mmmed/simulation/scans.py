"""One participant's files: each scan and its sidecar, at their BIDS paths."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import numpy as np

from mmmed.record import atomic
from mmmed.simulation.anatomy import atlas
from mmmed.simulation.rendering import Scans, render
from mmmed.simulation.scanner import scanner_of
from mmmed.simulation.sidecar import nifti, pet, t1w
from mmmed.simulation.spec import AdSimulation
from mmmed.simulation.subjects import SESSION, Participant, generator

PLACE = {"mri": "anat", "pet": "pet"}
SUFFIX = {"mri": "T1w", "pet": "trc-18FFDG_pet"}


def scans_of(spec: AdSimulation, person: Participant) -> tuple[Scans, np.ndarray]:
    """A participant's images, (i, j, k), and their affine, (4, 4) voxel index to RAS mm."""
    brain = atlas(spec.voxel_mm)
    scans = render(
        person.subject,
        brain,
        scanner_of(person.site, seed=spec.seed, strength=spec.site_effects),
        generator(spec, "image", person.number),
        pet_anatomy=spec.pet_anatomy,
    )
    return scans, brain.grid.affine


def write_scans(spec: AdSimulation, out: Path, person: Participant) -> None:
    """Render and write the scans that the participant has on disk."""
    scans, affine = scans_of(spec, person)
    images = {
        "mri": nifti(scans.t1, affine, slope=1.0),
        "pet": nifti(scans.pet, affine, slope=scans.pet_slope),
    }
    sidecars = {"mri": t1w(person.site), "pet": pet(person.site)}
    for modality in person.scans:
        image, sidecar = _paths(out, person, modality)
        atomic.write_bytes(image, _gzipped(images[modality]))
        atomic.write_text(sidecar, json.dumps(sidecars[modality], indent=2) + "\n")


def are_written(out: Path, person: Participant) -> bool:
    """Whether all files of the participant are there; files are whole or absent."""
    return all(path.exists() for modality in person.scans for path in _paths(out, person, modality))


def _paths(out: Path, person: Participant, modality: str) -> tuple[Path, Path]:
    """The scan and its sidecar."""
    session = f"ses-{SESSION}"
    folder = out / person.name / session / PLACE[modality]
    stem = f"{person.name}_{session}_{SUFFIX[modality]}"
    return folder / f"{stem}.nii.gz", folder / f"{stem}.json"


def _gzipped(data: bytes) -> bytes:
    """A gzip stream without name or time, so that the same data give the same bytes."""
    return zlib.compress(data, level=1, wbits=31)
