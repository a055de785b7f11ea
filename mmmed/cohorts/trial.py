"""The next best series where the best turns out to be refused, as reading it tells.

trial   reads a chosen series for a modality: why it cannot be used, or None

Only where another series of the DICOM Study is fit is there anything to try.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from joblib import Parallel, delayed

from mmmed.cohorts.dicom import WORTH_WORKERS, Looked, chosen_again, source_of
from mmmed.progress import Listener
from mmmed.readers.dicom.line import reason_line
from mmmed.readers.source import Source

Trial = Callable[[str, Source], str | None]
_Try = tuple[str, str, str]
"""Study UID, Series UID, modality."""


def tried(looked: Looked, trial: Trial, *, jobs: int, tell: Listener) -> Looked:
    """The choice after every chosen series that has a rival was read.

    Args:
        looked: at a folder.
        trial: reads one series.
        jobs: processes that may read.
        tell: hears of the task `trial`, in series.
    """
    sources = {(one.study, one.uid): source_of(one) for one in looked.index.series}
    known: dict[_Try, str | None] = {}
    while waiting := [one for one in _with_rivals(looked) if one not in known]:
        files = sum(len(sources[study, uid].files) for study, uid, _ in waiting)
        work = Parallel(n_jobs=jobs if files > WORTH_WORKERS else 1, return_as="generator")(
            delayed(trial)(modality, sources[study, uid]) for study, uid, modality in waiting
        )
        total = len(known) + len(waiting)
        for one, answer in zip(waiting, work, strict=True):
            known[one] = None if answer is None else reason_line(answer, looked.root)
            tell("trial", len(known), total)
        refused = {one: why for one, why in known.items() if why is not None}
        looked = chosen_again(looked, refused)
    return looked


def _with_rivals(looked: Looked) -> Iterator[_Try]:
    """Chosen series of whose DICOM Study another one is fit for the same modality."""
    fit: dict[tuple[str, str], int] = {}
    chosen: list[_Try] = []
    for (study, uid), told in looked.verdicts.items():
        for one in told:
            fit[study, one.modality] = fit.get((study, one.modality), 0) + one.fit
            if one.chosen:
                chosen.append((study, uid, one.modality))
    return (one for one in chosen if fit[one[0], one[2]] > 1)
