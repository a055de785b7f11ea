"""Worker processes of this machine, by joblib's loky.

When one of them dies, loky ends the others as well. What each was doing is done again, from its
checkpoint: twice side by side, then alone, so that the job that kills its process is known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures.process import BrokenProcessPool

from joblib import Parallel, delayed, parallel_config

from mmmed.pipelines.backends.errand import Errand, perform
from mmmed.pipelines.endings import is_over
from mmmed.record import lock

SIDE_BY_SIDE = 2
"""How often a job may lose its process among others; the next time it runs alone."""


def carry(errands: Sequence[Errand], *, parallel: int, threads: int) -> list[Errand]:
    """Have errands done by worker processes; those that kill theirs when they are alone.

    Args:
        errands: of jobs that are not done.
        parallel: processes at a time.
        threads: of numerical libraries, per process.
    """
    lost: list[Errand] = []
    ended: Counter[str] = Counter()
    waiting = list(errands)
    while waiting:
        crowd = [one for one in waiting if ended[one.name] < SIDE_BY_SIDE]
        chosen = crowd or waiting[:1]
        for one in _round(chosen, parallel=parallel, threads=threads):
            ended[one.name] += 1
            if not crowd:
                lost.append(one)
        waiting = [one for one in waiting if one not in lost and not is_over(one.folder)]
    return lost


def _round(errands: Sequence[Errand], *, parallel: int, threads: int) -> list[Errand]:
    """Try errands side by side; those whose process was ended, which may be their own doing."""
    workers = max(2, min(parallel, len(errands)))  # joblib would do one errand in this process
    try:
        with parallel_config(backend="loky", inner_max_num_threads=threads):
            Parallel(n_jobs=workers, batch_size=1)(delayed(perform)(one) for one in errands)
    except BrokenProcessPool:
        left = [one for one in errands if not is_over(one.folder)]
        return [one for one in left if lock.is_signed(one.lock)] or left
    return []
