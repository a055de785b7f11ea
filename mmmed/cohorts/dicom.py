"""Cases from a folder of DICOM: the chosen series of each DICOM Study, with what tables say.

case   a row of the folder of which a series is chosen
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import partial

from mmmed.cohorts.assembly import assemble
from mmmed.cohorts.cohort import Cohort, Fault
from mmmed.cohorts.dicom_cohort import DicomCohort
from mmmed.cohorts.dicom_folder import DIGITS, Looked, look
from mmmed.cohorts.follow_up import known_only
from mmmed.cohorts.mapped import read_mapped
from mmmed.cohorts.register import Register
from mmmed.cohorts.trial import chosen, rivalled, tried
from mmmed.cohorts.visit import subject_key
from mmmed.errors import StudyError
from mmmed.progress import Listener, Silent
from mmmed.readers.dicom.header import identity
from mmmed.readers.dicom.single import refusal


def cohort(looked: Looked, name: str) -> Cohort:
    """The cases of what was chosen, labelled where the rules name a label.

    A DICOM Study of which no series is fit makes no case. What the index refused is a fault.

    Args:
        looked: at a folder.
        name: of the cohort.

    Raises:
        NothingReadable: no series was chosen at all, or no case of one has a label.
        DataError: a table is missing or broken, or contradicts the rules.
    """
    rules = looked.rules
    faults = [*found_faults(looked), *_replaced(looked)]
    register = _register(looked, faults)
    rows = [
        replace(
            row,
            cells={**row.cells, **register.cells(row.subject, row.session, row.day)},
            unknown=register.unknown(row.subject, row.session, row.day),
        )
        for row in looked.rows
    ]
    here = {row.subject for row in rows}
    return assemble(
        [*rows, *(row for row in known_only(register, rows) if row.subject in here)],
        name=name,
        kinds=dict.fromkeys(rules.modalities, "volume"),
        label=rules.label,
        positive=rules.positive,
        columns=rules.columns(),
        faults=faults,
        tables=register.files,
        visits=rules.visits,
        asides=looked.asides,
    )


def read_dicom(
    spec: DicomCohort,
    name: str,
    *,
    suv: Collection[str] = (),
    jobs: int = 1,
    listener: Listener | None = None,
) -> Cohort:
    """The cohort in a folder of DICOM.

    Headers are read, and of the chosen series those that have a rival: it takes the place of one
    that is refused.

    Args:
        spec: the folder, its rules and its tables.
        name: of the cohort.
        suv: modalities whose PET must come to SUVbw; of others any linear unit will do.
        jobs: processes that may read.
        listener: hears of the tasks `index`, `choice` and `reading`.

    Raises:
        StudyError: no folder is named.
        NothingReadable: there is no such folder, or no case in it.
        DataError: a table is missing or broken, or contradicts the spec.
    """
    if spec.root is None:
        raise StudyError(f"cohort {name}: name the folder of its files: --set cohort.root=DIR")
    tell = listener or Silent()
    trial = partial(refusal, frozenset(spec.modalities).difference(suv))
    looked = look(spec.root, spec, jobs=jobs, listener=tell)
    return cohort(tried(looked, trial, among=rivalled, jobs=jobs, tell=tell), name)


def _replaced(looked: Looked) -> Iterator[Fault]:
    """Series that were refused as they were read, unless they stay chosen for want of a better."""
    taken = {(study, modality): uid for study, uid, modality in chosen(looked)}
    for (study, uid, modality), why in looked.refused.items():
        place = taken.get((study, modality))
        if place != uid:
            good = place is not None and (study, place, modality) not in looked.refused
            reason = f"{why}; the next best series takes its place" if good else why
            yield Fault("_".join(looked.sessions[study]), modality, reason)


def _register(looked: Looked, faults: list[Fault]) -> Register:
    """What tables say of the subjects, by the names that the subjects have here."""
    rules = looked.rules
    named = {subject_key(subject) for subject, _ in looked.sessions.values()}

    def subject(text: str) -> str:
        key = subject_key(text)
        return key if key in named else identity(text, rules.issuer)[:DIGITS]

    register = Register(rules.label.column if rules.label else None)
    read_mapped(
        rules.tables, looked.root, register, label=rules.label, faults=faults, subject=subject
    )
    return register


def found_faults(looked: Looked) -> list[Fault]:
    """Series that the index refused, once each, and those whose headers cannot be read."""
    refused = {
        (one.study, one.series): Fault(one.path, None, one.text)
        for one in reversed(looked.index.aside)
        if one.verdict == "refused"
    }
    unread = [
        Fault("_".join(looked.sessions[study]), None, why)
        for (study, _), why in looked.unread.items()
    ]
    return [*reversed(refused.values()), *unread]
