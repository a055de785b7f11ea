"""A simulated cohort on disk: a BIDS dataset and the truth about it.

truth.json        the law, the ceilings, every case's burdens and oracle log-odds; written last
simulation.json   the settings; written first, so that an interrupted dataset can be resumed

Both stand in `.bidsignore`. Files are whole or absent, and the same seed gives the same bytes,
whatever the number of workers.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mmmed.errors import StudyError
from mmmed.modality import every_pattern
from mmmed.record import atomic
from mmmed.simulation.anatomy import atlas
from mmmed.simulation.clinical import DESCRIPTIONS, draw_clinical
from mmmed.simulation.law import BURDENS, log_odds
from mmmed.simulation.rendering import Subject, render
from mmmed.simulation.scanner import scanner_of
from mmmed.simulation.sidecar import nifti, pet, t1w
from mmmed.simulation.spec import AdSimulation
from mmmed.simulation.subjects import CLASSES, SESSION, draw_subjects, generator

Progress = Callable[[int, int], None]
BIDS_VERSION = "1.10.0"
WORTH_WORKERS = 64
"""Fewer subjects than this are made sooner by one process than workers start."""

CHUNK = 8
"""Subjects that a worker makes at a time."""

README = """A simulated Alzheimer cohort, written by mmmed.

Every image is computed: warped MNI152 templates, on which two hidden burdens act (medial temporal
atrophy in the T1-weighted MRI, posterior hypometabolism in the FDG-PET). No person was scanned.
`truth.json` holds the burdens, the law they were drawn from and the best scores it allows.
`participants.tsv` says which part of a study (train, validation, calibration, test) a subject is.
"""

COLUMNS: Mapping[str, Mapping[str, object]] = {
    "age": {"Description": "Age at the scan", "Units": "years"},
    "sex": {"Description": "Sex", "Levels": {"F": "female", "M": "male"}},
    "site": {"Description": "Site, each with a scanner of its own"},
    "diagnosis": {
        "Description": "Class",
        "Levels": {"CN": "cognitively normal", "AD": "Alzheimer's disease"},
    },
    "part": {"Description": "Part of a study: train, validation, calibration or test"},
}


def write(
    spec: AdSimulation, out: Path, *, jobs: int = 1, progress: Progress | None = None
) -> None:
    """Write the cohort as a BIDS dataset; an interrupted one is taken up where it stopped.

    Args:
        spec: what to simulate.
        out: a folder that is missing, empty, or holds an unfinished dataset of the same settings.
        jobs: worker processes.
        progress: called with (subjects done, subjects in all).

    Raises:
        StudyError: the folder holds something else.
    """
    _begin(spec, out)
    subjects = draw_subjects(spec)
    for done in _written(spec, out, subjects, jobs=jobs):
        if progress:
            progress(done, len(subjects))
    _write_tables(spec, out, subjects)
    atomic.write_json(out / "truth.json", truth(spec, subjects))


def truth(spec: AdSimulation, subjects: pd.DataFrame) -> dict[str, Any]:
    """What `truth.json` holds: law, ceilings, burdens and oracle log-odds per case."""
    scores = {
        str(pattern): log_odds(spec.law, subjects, pattern) for pattern in every_pattern(BURDENS)
    }
    cases = {
        case: {
            "part": row.part,
            "label": int(row.label),
            **{column: float(getattr(row, column)) for column in BURDENS.values()},
            "log_odds": {pattern: float(score[place]) for pattern, score in scores.items()},
        }
        for place, (case, row) in enumerate(
            zip(subjects.index, subjects.itertuples(index=False), strict=True)
        )
    }
    return {
        "law": spec.law.model_dump(mode="json"),
        "seed": spec.seed,
        "matched": spec.test == "matched",
        "cases": cases,
    }


def _begin(spec: AdSimulation, out: Path) -> None:
    settings = spec.model_dump(mode="json")
    marker = out / "simulation.json"
    if marker.is_file():
        if json.loads(marker.read_text(encoding="utf-8")) != settings:
            raise StudyError(
                f"{out}: holds a simulated cohort of other settings; choose another folder"
            )
    elif out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise StudyError(f"{out}: is not empty; choose another folder")
    atomic.write_json(marker, settings)
    atomic.write_text(out / ".bidsignore", "truth.json\nsimulation.json\n")
    atomic.write_text(out / "README", README)
    atomic.write_json(
        out / "dataset_description.json",
        {
            "Name": "Simulated Alzheimer cohort",
            "BIDSVersion": BIDS_VERSION,
            "DatasetType": "raw",
            "License": "CC0",
            "Authors": ["mmmed"],
            "GeneratedBy": [{"Name": "mmmed"}],
        },
    )


def _written(spec: AdSimulation, out: Path, subjects: pd.DataFrame, *, jobs: int) -> Iterable[int]:
    """Write what is missing; yields how many subjects are there."""
    rows = [row for row in subjects.to_dict("records") if not _is_written(out, row)]
    chunks = [rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK)]
    done = len(subjects) - len(rows)
    for count in _run(spec, out, chunks, jobs=jobs if len(rows) >= WORTH_WORKERS else 1):
        done += count
        yield done


def _run(
    spec: AdSimulation, out: Path, chunks: Sequence[Sequence[Mapping[str, Any]]], *, jobs: int
) -> Iterable[int]:
    if jobs == 1:
        return (_write_chunk(spec, out, chunk) for chunk in chunks)
    from joblib import Parallel, delayed

    workers = Parallel(n_jobs=jobs, return_as="generator_unordered")
    return workers(delayed(_write_chunk)(spec, out, chunk) for chunk in chunks)


def _write_chunk(spec: AdSimulation, out: Path, rows: Sequence[Mapping[str, Any]]) -> int:
    for row in rows:
        for path, content in _files(spec, out, row):
            atomic.write_bytes(path, content)
    return len(rows)


def _is_written(out: Path, row: Mapping[str, Any]) -> bool:
    return all(path.exists() for stem in _stems(out, row).values() for path in _pair(stem))


def _stems(out: Path, row: Mapping[str, Any]) -> dict[str, Path]:
    """Modality -> the path of its scan without extension, for the scans a subject has."""
    subject = row["subject"]
    folder = out / subject / f"ses-{SESSION}"
    stems = {
        "mri": folder / "anat" / f"{subject}_ses-{SESSION}_T1w",
        "pet": folder / "pet" / f"{subject}_ses-{SESSION}_trc-18FFDG_pet",
    }
    return {name: stem for name, stem in stems.items() if row[name]}


def _pair(stem: Path) -> tuple[Path, Path]:
    return stem.with_name(f"{stem.name}.nii.gz"), stem.with_name(f"{stem.name}.json")


def _files(spec: AdSimulation, out: Path, row: Mapping[str, Any]) -> Iterable[tuple[Path, bytes]]:
    brain = atlas(spec.voxel_mm)
    scans = render(
        Subject(z_mri=row["z_mri"], z_pet=row["z_pet"], age=row["age"], sex=row["sex"]),
        brain,
        scanner_of(row["site"], seed=spec.seed, strength=spec.site_effects),
        generator(spec, "image", row["number"]),
        pet_anatomy=spec.pet_anatomy,
    )
    content = {
        "mri": (scans.t1, 1.0, t1w(row["site"])),
        "pet": (scans.pet, scans.pet_slope, pet(row["site"])),
    }
    for name, stem in _stems(out, row).items():
        volume, slope, sidecar = content[name]
        image, beside = _pair(stem)
        yield image, _gzipped(nifti(volume, brain.grid.affine, slope=slope))
        yield beside, (json.dumps(sidecar, indent=2) + "\n").encode()


def _gzipped(data: bytes) -> bytes:
    """A gzip stream without name or time, so that the same data give the same bytes."""
    return zlib.compress(data, level=1, wbits=31)


def _write_tables(spec: AdSimulation, out: Path, subjects: pd.DataFrame) -> None:
    if spec.clinical:
        _write_clinical(spec, out / "phenotype", subjects)
    atomic.write_json(out / "participants.json", COLUMNS)
    people = subjects.assign(
        participant_id=subjects["subject"], diagnosis=np.array(CLASSES)[subjects["label"]]
    )
    _write_tsv(out / "participants.tsv", people[["participant_id", *COLUMNS]])


def _write_clinical(spec: AdSimulation, folder: Path, subjects: pd.DataFrame) -> None:
    rows = [
        {
            "participant_id": row.subject,
            "session_id": f"ses-{SESSION}",
            **draw_clinical(row.z_mri, row.z_pet, generator(spec, "clinical", int(row.number))),
        }
        for row in subjects.itertuples(index=False)
    ]
    atomic.write_json(folder / "clinical.json", DESCRIPTIONS)
    _write_tsv(folder / "clinical.tsv", pd.DataFrame(rows))


def _write_tsv(path: Path, table: pd.DataFrame) -> None:
    atomic.write_text(path, table.to_csv(sep="\t", index=False, lineterminator="\n"))
