"""Images that a series holds twice.

duplicate   an image with the instance UID of another, or at its place with nothing to tell them
            apart, and the same geometry, rescale and pixels; one of them is enough
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence

from mmmed.errors import DataError, SeriesError
from mmmed.readers.dicom.frame import Frame
from mmmed.readers.dicom.pixels import check_size, digests
from mmmed.readers.dicom.place import places


def one_per_instance(frames: Sequence[Frame]) -> list[Frame]:
    """The frames without those that repeat an instance UID; a cut file gives way to a whole one.

    Raises:
        SeriesError: different images claim one instance UID.
        DataError: one of them cannot be read.
    """
    keys = [
        (frame.uid or str(frame.path), frame.corner if frame.uid else (place, 0))
        for place, frame in enumerate(frames)
    ]
    claims = [_whole(claim) for claim in _together(frames, keys)]
    claimed = [place for place, claim in enumerate(claims) for _ in claim]
    marks = iter(_marks([frame for claim in claims for frame in claim], claimed))
    for claim in claims:
        first, mark = claim[0], next(marks)
        for other in claim[1:]:
            if next(marks) != mark:
                raise SeriesError(
                    f"{first.path} and {other.path.name}: different images with the instance UID "
                    f"{first.uid}; leave out the wrong one"
                )
    return [claim[0] for claim in claims]


def one_per_place(frames: Sequence[Frame]) -> list[Frame]:
    """The frames without those that repeat another at their place; others stay.

    Raises:
        DataError: one of them cannot be read.
    """
    kept: dict[Hashable, Frame] = {}
    for frame, mark in zip(frames, _marks(frames, places(frames).tolist()), strict=True):
        kept.setdefault(mark, frame)
    return list(kept.values())


def _marks(frames: Sequence[Frame], keys: Sequence[int]) -> list[Hashable]:
    """For each frame what its copies under one key have in common.

    Pixels are read once, and where several are described alike.

    Raises:
        DataError: one of them cannot be read.
    """
    alike = [(key, *_described(frame)) for frame, key in zip(frames, keys, strict=True)]
    count = Counter(alike)
    several = [frame for frame, one in zip(frames, alike, strict=True) if count[one] > 1]
    read = iter(digests(several))
    return [(one, next(read) if count[one] > 1 else b"") for one in alike]


def _described(frame: Frame) -> tuple[Hashable, ...]:
    """What copies of an image state alike."""
    grid = (frame.rows, frame.columns, frame.spacing)
    place = (frame.position, frame.along_row, frame.along_column)
    return grid, place, frame.slope, frame.intercept


def _whole(frames: list[Frame]) -> list[Frame]:
    """Those whose files have all their pixels, where there are several and any does."""
    return [frame for frame in frames if len(frames) > 1 and _has_pixels(frame)] or frames


def _has_pixels(frame: Frame) -> bool:
    try:
        check_size(frame.stored)
    except DataError:
        return False
    return True


def _together(frames: Sequence[Frame], keys: Sequence[Hashable]) -> Iterable[list[Frame]]:
    found: dict[Hashable, list[Frame]] = defaultdict(list)
    for frame, key in zip(frames, keys, strict=True):
        found[key].append(frame)
    return found.values()
