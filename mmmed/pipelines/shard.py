"""`--shard k/n`: one of n processes that do the jobs of one study in one run folder.

Each does its share, in any order and on any machine. Whoever finds no job open any more writes the
report; the others say whose jobs are open.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmmed.errors import StudyError
from mmmed.pipelines.endings import is_over
from mmmed.pipelines.job import Job

MOST = 100_000
_FORM = re.compile(r"(\d{1,6})/(\d{1,6})")


@dataclass(frozen=True)
class Shard:
    """The k-th of n.

    Attributes:
        k: from 1.
        n: how many there are.
    """

    k: int
    n: int

    def __str__(self) -> str:
        """As it was asked for."""
        return f"{self.k}/{self.n}"

    def share(self, jobs: Sequence[Job]) -> list[Job]:
        """Every n-th job, so that each method is dealt over the shards."""
        return list(jobs[self.k - 1 :: self.n])


def shard(text: str, *, out: Path | None) -> Shard:
    """What `--shard k/n` asks for.

    Raises:
        StudyError: it is no k/n with 1 <= k <= n, or no folder is named that all share.
    """
    match = _FORM.fullmatch(text)
    k, n = (int(part) for part in match.groups()) if match else (0, 0)
    if not 1 <= k <= n <= MOST:
        raise StudyError(f"--shard {text}: write k/n with 1 <= k <= n, like 1/4 to 4/4")
    if out is None:
        raise StudyError(f"--shard {text}: name the folder that all shards share with --out")
    return Shard(k, n)


def open_jobs(jobs: Sequence[Job], run: Path, *, n: int) -> dict[int, int]:
    """Shard -> how many of its jobs are neither done nor failed; no key for one without any."""
    counts: dict[int, int] = {}
    for number, job in enumerate(jobs):
        if not is_over(job.folder(run)):
            k = number % n + 1
            counts[k] = counts.get(k, 0) + 1
    return dict(sorted(counts.items()))


def still_open(counts: dict[int, int], shard: Shard, total: int) -> str:
    """What a shard says that does not write the report."""
    whose = ", ".join(f"{count} of shard {k}/{shard.n}" for k, count in counts.items())
    return (
        f"shard {shard} is over; {sum(counts.values())} of {total} jobs are open "
        f"({whose}); the shard that ends last writes the report"
    )
