"""What takes the place of hidden scans.

noise   the scan's own file with other values (`noise`); of a vector, each value drawn between the
        least and the greatest of the cohort
swap    the scan of another case, of another subject and of another class where there is one
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from mmmed.pipelines.preparation import Stocked
from mmmed.pipelines.verify_mask.shadow import Changes, Vector
from mmmed.progress import Listener
from mmmed.readers.source import Source
from mmmed.record import digest
from mmmed.transforms.chain import Chain
from mmmed.transforms.prepare import load
from mmmed.transforms.prepared import Prepared

Variant = Literal["noise", "swap"]
VARIANTS: tuple[Variant, ...] = ("noise", "swap")
Item = tuple[str, Source]
"""A modality, and where one item of it comes from."""

SEED = 0
"""Of the noise; any other would do."""


@dataclass(frozen=True)
class Poison:
    """What takes the place of one scan.

    Attributes:
        how: `uniform`, `trembling` or `swap`.
        files: file of the scan -> file that stands for it.
        vector: of a vector, its values.
        stand_in: what is prepared in its place where files cannot be exchanged, as those of a
            slide of which other tiles are shown.
    """

    how: str
    files: Mapping[Path, Path] = field(default_factory=dict)
    vector: Vector | None = None
    stand_in: Source | None = None


Poisons = Mapping[Item, Poison]


@dataclass(frozen=True)
class Kitchen:
    """What poison is made of.

    Attributes:
        stocked: the cohort as it is.
        chains: modality -> how it is prepared.
        root: the folder of the cohort.
        scratch: where files may be written.
        cache: where prepared items are kept.
        jobs: processes that prepare.
        report: hears how far it is.
    """

    stocked: Stocked
    chains: Mapping[str, Chain]
    root: Path
    scratch: Path
    cache: Path
    jobs: int
    report: Listener

    def kind(self, modality: str) -> str:
        """The kind of a modality's items."""
        return self.stocked.cohort.kinds[modality]


def changes(poisons: Poisons, chosen: Iterable[Item]) -> Changes:
    """What a shadow shows where these scans are poisoned."""
    wanted = {item: poisons[item] for item in chosen if item in poisons}
    return Changes(
        files={path: other for one in wanted.values() for path, other in one.files.items()},
        rows={item[1]: one.vector for item, one in wanted.items() if one.vector is not None},
    )


def array_digest(item: Prepared) -> str:
    """SHA-256 of a prepared array, as it is shown where nothing else of its case is."""
    alone = item.guided.alone if item.guided else item
    return digest.of_bytes(np.ascontiguousarray(load(alone)).tobytes())
