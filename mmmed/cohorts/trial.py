"""The choice among series after those that are chosen were read.

trial   reads a series for a modality: why it cannot be used, or None

A series that is refused gives way to the next best of its DICOM Study. Decoders are C code, so each
trial runs in a process that may die.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from mmmed.cohorts.dicom_folder import Looked, chosen_again, source_of
from mmmed.isolation import Done, Limits, isolated
from mmmed.progress import Listener
from mmmed.readers.dicom.line import reason_line
from mmmed.readers.source import Source

LIMITS = Limits(seconds=300, memory=16 << 30)
"""Of one series; readers refuse what is too large before it comes to this."""

Trial = Callable[[str, Source], str | None]
Item = tuple[str, str, str]
"""Study UID, Series UID, modality."""


def chosen(looked: Looked) -> Iterator[Item]:
    """Every series that is chosen."""
    for (study, uid), told in looked.verdicts.items():
        yield from ((study, uid, one.modality) for one in told if one.chosen)


def rivalled(looked: Looked) -> Iterator[Item]:
    """Chosen series of whose DICOM Study another one is fit for the same modality."""
    fit: dict[tuple[str, str], int] = {}
    for (study, _), told in looked.verdicts.items():
        for one in told:
            fit[study, one.modality] = fit.get((study, one.modality), 0) + one.fit
    return (one for one in chosen(looked) if fit[one[0], one[2]] > 1)


def tried(
    looked: Looked,
    trial: Trial,
    *,
    among: Callable[[Looked], Iterator[Item]],
    jobs: int,
    tell: Listener,
) -> Looked:
    """The choice after these series were read, and those that took the place of refused ones.

    Args:
        looked: at a folder.
        trial: reads one series; can be sent to a process.
        among: which of the chosen series are read.
        jobs: processes that read.
        tell: hears of the task `reading`, in series.
    """
    sources = {(one.study, one.uid): source_of(one) for one in looked.index.series}
    known: dict[Item, str | None] = {}
    while waiting := [one for one in among(looked) if one not in known]:
        asked = [(modality, sources[study, uid]) for study, uid, modality in waiting]
        total = len(known) + len(waiting)
        for place, done in isolated(partial(_ask, trial), asked, jobs=jobs, limits=LIMITS):
            answer = done.value if isinstance(done, Done) else done.text
            known[waiting[place]] = None if answer is None else reason_line(answer, looked.root)
            tell("reading", len(known), total)
        refused = {one: why for one, why in known.items() if why is not None}
        looked = chosen_again(looked, refused)
    return looked


def _ask(trial: Trial, item: tuple[str, Source]) -> str | None:
    return trial(*item)
