"""Many files written one by one, by one process or several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from joblib import Parallel, delayed

from mmmed.progress import Progress

Order = TypeVar("Order")


def each(
    write: Callable[[Order], None],
    orders: Sequence[Order],
    *,
    jobs: int,
    progress: Progress | None,
) -> None:
    """Write what each order says.

    Args:
        write: of one order; no byte depends on the process.
        orders: all of them.
        jobs: processes.
        progress: called with (orders done, orders).
    """
    done = Parallel(n_jobs=jobs, return_as="generator")(delayed(write)(one) for one in orders)
    for number, _ in enumerate(done, start=1):
        if progress:
            progress(number, len(orders))
