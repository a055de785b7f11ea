"""Who was studied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pandas as pd

from mmmed.audit.prose.record import Record, counts, stated


def told(record: Record) -> Iterator[str]:
    """The cohort and its counts."""
    cohort, cases = record.study.part("cohort"), record.run.cases
    name = stated(cohort.get("name"))
    if not cases:
        yield f"Cohort: {name}; its cases were not recorded."
        return
    subjects = {row["subject_id"] for row in cases}
    yield (
        f"The cohort {name} held {len(cases)} cases (a case is a subject at one time point) of "
        f"{len(subjects)} subjects: {_counted(record, 'label')}."
    )
    yield f"Label: {record.run.rule or 'its rule was not recorded'}."
    yield f"What they owned: {_counted(record, 'owned')}; sites: {_counted(record, 'site')}."
    yield from _people(record)
    if cohort.get("kind") == "simulated":
        simulation = cohort.get("simulation", {})
        yield (
            f"The cohort was simulated (law: {stated(simulation.get('law'))}; seed "
            f"{stated(simulation.get('seed'))}), so that the best attainable score is known: "
            "nothing here is evidence about real patients."
        )


def _people(record: Record) -> Iterator[str]:
    """Age and sex, where the table has them, one row per subject."""
    first = {row["subject_id"]: row for row in reversed(record.run.cases)}
    frame = pd.DataFrame(list(first.values()))
    if "age" in frame:
        age = pd.to_numeric(frame["age"], errors="coerce").dropna()
        if len(age):
            yield (
                f"Age was recorded for {len(age)} of {len(frame)} subjects: mean {age.mean():.1f} "
                f"years, standard deviation {age.std():.1f}, range {age.min():g} to {age.max():g}."
            )
    if "sex" in frame:
        yield f"Sex: {counts(dict(sorted(Counter(frame['sex']).items())))}."


def _counted(record: Record, column: str) -> str:
    return counts(dict(sorted(Counter(row[column] for row in record.run.cases).items())))
