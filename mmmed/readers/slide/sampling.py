"""Locations: points of a slide on which tiles of several magnifications are centred."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from mmmed.errors import SlideError
from mmmed.readers.slide.slide import Slide, offers
from mmmed.readers.slide.tissue import Tissue

ENOUGH = 0.5
"""Share of the finest tile that is tissue."""


def locations(
    slide: Slide,
    tissue: Tissue,
    *,
    mpps: Sequence[float],
    pixels: int,
    most: int,
    seed: int,
) -> tuple[tuple[int, int], ...]:
    """Centres of tiles on tissue, (x, y) in pixels of the finest level; fewer where it is small.

    Raises:
        SlideError: no location has tissue enough, or the slide has none of the magnifications.
    """
    kept = [mpp for mpp in mpps if offers(slide, mpp)]
    if not kept:
        raise SlideError(f"{slide.path}: has none of the magnifications {list(mpps)} um per pixel")
    step = max(1, round(min(kept) * pixels / slide.mpp))
    ratio = slide.mpp / tissue.mpp
    centres = [
        (x, y)
        for y in range(step // 2, slide.size[1] - step // 2, step)
        for x in range(step // 2, slide.size[0] - step // 2, step)
        if tissue.mask[int(y * ratio), int(x * ratio)]
    ]
    if not centres:
        raise SlideError(f"{slide.path}: no tile shows tissue enough; leave it out")
    key = int.from_bytes(hashlib.sha256(slide.key.encode()).digest()[:8])
    order = np.random.default_rng([seed, key]).permutation(len(centres))
    return tuple(centres[place] for place in order[:most])
