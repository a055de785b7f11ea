"""Enhanced MR images, their functional groups as a test wants them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import slices
from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import EnhancedMRImageStorage, generate_uid

Groups = Mapping[str, Mapping[str, Any]]
"""Functional group -> what its one item states."""

SHARED: Groups = {
    "PlaneOrientationSequence": {"ImageOrientationPatient": list(slices.AXIAL)},
    "PixelMeasuresSequence": {
        "PixelSpacing": list(slices.SPACING),
        "SliceThickness": slices.STEP,
    },
}


def position(place: float) -> Groups:
    """Where the slice of a number lies in a stack as `slices.headers` makes it."""
    x, y, z = slices.ORIGIN
    at = [x, y, z + place * slices.STEP]
    return {"PlanePositionSequence": {"ImagePositionPatient": at}}


def stack(count: int = 6, **content: Any) -> list[Groups]:
    """The groups of the frames of one stack; `content` goes into Frame Content."""
    said = {"FrameContentSequence": content} if content else {}
    return [{**position(place), **said} for place in range(count)]


def image(
    pixels: np.ndarray, frames: Sequence[Groups], *, shared: Groups = SHARED, **common: Any
) -> FileDataset:
    """One enhanced file.

    Args:
        pixels: (frame, row, column) uint16.
        frames: the functional groups of each frame.
        shared: those of all.
        common: attributes of the top level, by keyword; None leaves one out.
    """
    (one,) = slices.headers(
        pixels[:1],
        SOPClassUID=EnhancedMRImageStorage,
        ImagePositionPatient=None,
        ImageOrientationPatient=None,
        PixelSpacing=None,
        SliceThickness=None,
        NumberOfFrames=len(pixels),
        **{"SOPInstanceUID": generate_uid(), **common},
    )
    one.PixelData = pixels.tobytes()
    one.SharedFunctionalGroupsSequence = [_groups(shared)]
    one.PerFrameFunctionalGroupsSequence = [_groups(frame) for frame in frames]
    return one


def _groups(said: Groups) -> Dataset:
    made = Dataset()
    for group, attributes in said.items():
        item = Dataset()
        for keyword, value in attributes.items():
            setattr(item, keyword, value)
        setattr(made, group, [item])
    return made
