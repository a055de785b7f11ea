"""A simulated cohort on disk: a BIDS dataset and the truth about it.

truth.json        the law, the ceilings, every case's burdens and oracle log-odds; written last
simulation.json   the settings; written first, so that an interrupted dataset can be resumed

Both stand in `.bidsignore`. Files are whole or absent, and the same seed gives the same bytes,
whatever the number of workers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from mmmed.progress import Progress
from mmmed.record import atomic
from mmmed.simulation.begin import begin
from mmmed.simulation.clinical import DESCRIPTIONS, draw_clinical
from mmmed.simulation.scans import are_written, write_scans
from mmmed.simulation.spec import AdSimulation
from mmmed.simulation.subjects import (
    CLASSES,
    SESSION,
    Participant,
    draw_subjects,
    generator,
    participants,
)
from mmmed.simulation.truth import truth

BIDS_VERSION = "1.10.0"
WORTH_WORKERS = 64
"""Fewer subjects than this are made sooner by one process than workers start."""

CHUNK = 8
"""Subjects that a worker makes at a time."""

IGNORED = ("truth.json", "simulation.json", f"{atomic.UNFINISHED}*")
"""What of a dataset is not BIDS."""

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
        RunError: the folder cannot be written to.
    """
    begin(out, spec.model_dump(mode="json"))
    _describe(out)
    subjects = draw_subjects(spec)
    people = participants(subjects)
    if (out / "truth.json").exists() and all(are_written(out, person) for person in people):
        return
    for done in _write_scans(spec, out, people, jobs=jobs):
        if progress:
            progress(done, len(people))
    if spec.clinical:
        _write_clinical(spec, out / "phenotype", people)
    _write_participants(out, subjects)
    atomic.write_json(out / "truth.json", truth(spec, subjects))


def _describe(out: Path) -> None:
    atomic.write_text(out / ".bidsignore", "".join(f"{name}\n" for name in IGNORED))
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


def _write_scans(
    spec: AdSimulation, out: Path, people: Sequence[Participant], *, jobs: int
) -> Iterator[int]:
    """Write the scans that are missing; yields how many participants have theirs."""
    missing = [person for person in people if not are_written(out, person)]
    chunks = [missing[start : start + CHUNK] for start in range(0, len(missing), CHUNK)]
    done = len(people) - len(missing)
    for count in _run(spec, out, chunks, jobs=jobs if len(missing) >= WORTH_WORKERS else 1):
        done += count
        yield done


def _run(
    spec: AdSimulation, out: Path, chunks: Sequence[Sequence[Participant]], *, jobs: int
) -> Iterator[int]:
    if jobs == 1:
        yield from (_write_chunk(spec, out, chunk) for chunk in chunks)
        return
    from joblib import Parallel, delayed

    workers = Parallel(n_jobs=jobs, return_as="generator_unordered")
    yield from workers(delayed(_write_chunk)(spec, out, chunk) for chunk in chunks)


def _write_chunk(spec: AdSimulation, out: Path, people: Sequence[Participant]) -> int:
    for person in people:
        write_scans(spec, out, person)
    return len(people)


def _write_participants(out: Path, subjects: pd.DataFrame) -> None:
    atomic.write_json(out / "participants.json", COLUMNS)
    people = subjects.assign(
        participant_id=subjects["subject"], diagnosis=np.array(CLASSES)[subjects["label"]]
    )
    _write_tsv(out / "participants.tsv", people[["participant_id", *COLUMNS]])


def _write_clinical(spec: AdSimulation, folder: Path, people: Sequence[Participant]) -> None:
    rows = [
        {
            "participant_id": person.name,
            "session_id": f"ses-{SESSION}",
            **draw_clinical(person.subject, generator(spec, "clinical", person.number)),
        }
        for person in people
    ]
    atomic.write_json(folder / "clinical.json", DESCRIPTIONS)
    _write_tsv(folder / "clinical.tsv", pd.DataFrame(rows))


def _write_tsv(path: Path, table: pd.DataFrame) -> None:
    atomic.write_text(path, table.to_csv(sep="\t", index=False, lineterminator="\n"))
