"""Images that a series holds twice.

duplicate   an image with the instance UID of another, or at its place with nothing to tell them
            apart, and the same geometry, rescale and pixels; one of them is enough
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence

from mmmed.errors import DataError, SeriesError
from mmmed.readers.dicom.frame import Frame
from mmmed.readers.dicom.pixels import check_size, same
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
    found = []
    for same_key in _together(frames, keys):
        first, *others = _whole(same_key)
        for other in others:
            if not same(first, other):
                raise SeriesError(
                    f"{first.path} and {other.path.name}: different images with the instance UID "
                    f"{first.uid}; leave out the wrong one"
                )
        found.append(first)
    return found


def one_per_place(frames: Sequence[Frame]) -> list[Frame]:
    """The frames without those that repeat another at their place; others stay.

    Raises:
        DataError: one of them cannot be read.
    """
    found = []
    for there in _together(frames, list(map(int, places(frames)))):
        kept: list[Frame] = []
        for frame in there:
            if not any(same(frame, one) for one in kept):
                kept.append(frame)
        found += kept
    return found


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
