"""What is there, what is not, and what is broken: the availability ledger of a cohort."""

from __future__ import annotations

import pandas as pd
from joblib import Parallel, delayed

from mmmed.cohorts.cohort import Cohort
from mmmed.errors import DataError
from mmmed.modality import ItemKind
from mmmed.progress import Progress
from mmmed.readers.image import read_image
from mmmed.readers.nifti import read_volume
from mmmed.readers.source import Source

PRESENT, ABSENT, UNREADABLE = "present", "absent", "unreadable"


def look(cohort: Cohort, *, jobs: int = 1, progress: Progress | None = None) -> Cohort:
    """The cohort after every file was read to its end; what cannot be read becomes a fault.

    Vectors were read with their table.

    Args:
        cohort: as read from names and tables.
        jobs: threads that read.
        progress: called with (files read, files).
    """
    sources = {
        source: cohort.kinds[name]
        for case in cohort.cases
        for name, items in case.sources.items()
        if cohort.kinds[name] != "vector"
        for source in items
    }
    reading = Parallel(n_jobs=jobs, prefer="threads", return_as="generator")
    refused: dict[Source, str] = {}
    answers = reading(delayed(_reason)(source, kind) for source, kind in sources.items())
    for done, (source, reason) in enumerate(zip(sources, answers, strict=True), start=1):
        if reason is not None:
            refused[source] = reason
        if progress:
            progress(done, len(sources))
    return cohort.without(refused.keys(), refused.values())


def ledger(cohort: Cohort) -> pd.DataFrame:
    """Availability per case and modality: `present`, `absent` or `unreadable: <reason>`.

    Cases that were left out whole are rows too, where a fault names them and a modality.
    """
    table = cohort.owned().map(lambda owned: PRESENT if owned else ABSENT).astype(object)
    for fault in cohort.faults:
        if fault.modality is None:
            continue
        if fault.where not in table.index:
            table.loc[fault.where] = ABSENT
        if table.loc[fault.where, fault.modality] == ABSENT:
            table.loc[fault.where, fault.modality] = f"{UNREADABLE}: {fault.reason}"
    return table.sort_index()


def counts(cohort: Cohort) -> pd.DataFrame:
    """Cases per modality (rows): `present`, `absent`, `unreadable`."""
    kinds = ledger(cohort).map(lambda text: text.partition(":")[0])
    columns = [PRESENT, ABSENT, UNREADABLE]
    rows = {name: kinds[name].value_counts().reindex(columns, fill_value=0) for name in kinds}
    return pd.DataFrame(rows, index=columns).T.astype(int)


def sentences(cohort: Cohort) -> list[str]:
    """The ledger in words: cases, classes, one line per modality."""
    subjects = cohort.subjects().nunique()
    lines = [f"{cohort.name}: {len(cohort.cases)} cases of {subjects} subjects"]
    labels = cohort.labels()
    if cohort.classes:
        shares = [f"{(labels == index).sum()} {name}" for index, name in enumerate(cohort.classes)]
        lines.append(f"classes: {', '.join(shares)}")
    table = counts(cohort)
    return lines + [
        f"{name}: {table.loc[name, PRESENT]} present, {table.loc[name, ABSENT]} naturally absent, "
        f"{table.loc[name, UNREADABLE]} unreadable"
        for name in table.index
    ]


def _reason(source: Source, kind: ItemKind) -> str | None:
    try:
        (read_image if kind == "image" else read_volume)(source.path)
    except DataError as error:
        return str(error)
    return None
