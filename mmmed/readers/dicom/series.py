"""Files of one series -> volumes, one per stack.

stack     frames of one orientation, echo, phase and time that make one volume
label     what tells a stack from its siblings: `echo 2`, `frame 3 phase`; '' for the only one
refusal   a stack that is no volume, and why; its siblings do not feel it
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pydicom

from mmmed.errors import DataError, GeometryError, SeriesError, join
from mmmed.readers.dicom.classic import WANTED, read_frame
from mmmed.readers.dicom.elements import read_data_set, read_elements
from mmmed.readers.dicom.frame import Frame
from mmmed.readers.dicom.pixels import LARGEST, fill
from mmmed.readers.dicom.split import Group, split
from mmmed.readers.dicom.stack import Stack, check_group, stacked
from mmmed.readers.volume import Volume, canonical_room


@dataclass(frozen=True)
class SeriesVolume:
    """One stack of a series as a volume.

    Attributes:
        volume: canonical RAS, rescale applied.
        label: what tells it from its siblings; '' for the only stack of its series.
        frames: the slices in the order of their positions, with their times and rescales.
        notes: what was declared, dropped or resampled, one line each.
    """

    volume: Volume
    label: str
    frames: tuple[Frame, ...]
    notes: tuple[str, ...]

    @cached_property
    def paths(self) -> tuple[Path, ...]:
        """The files it comes from, each once, in the order of its slices."""
        return tuple(dict.fromkeys(frame.path for frame in self.frames))

    @cached_property
    def headers(self) -> tuple[pydicom.Dataset, ...]:
        """What those files state, without pixels; read when first asked for."""
        return tuple(read_data_set(path) for path in self.paths)


@dataclass(frozen=True)
class Refusal:
    """A stack that is no volume.

    Attributes:
        label: what tells it from its siblings.
        frames: its slices, as far as known.
        reason: why, one line.
    """

    label: str
    frames: tuple[Frame, ...]
    reason: str


def read_series(paths: Sequence[Path]) -> tuple[SeriesVolume, ...]:
    """The volumes of one series; what stacks are refused stands in the notes of the others.

    Args:
        paths: all files of the series, in any order.

    Raises:
        DataError: a file cannot be read.
        SeriesError: the files make no volume.
        GeometryError: no stack of them is evenly spaced and upright.
    """
    found = read_stacks(paths)
    good = tuple(one for one in found if isinstance(one, SeriesVolume))
    refused = [one for one in found if isinstance(one, Refusal)]
    if not good:
        raise GeometryError(join(_named(one) for one in refused))
    notes = tuple(f"its sibling {_named(one)}" for one in refused)
    return tuple(dataclasses.replace(one, notes=one.notes + notes) for one in good)


def _named(refusal: Refusal) -> str:
    return f"{refusal.label}: {refusal.reason}" if refusal.label else refusal.reason


def read_stacks(paths: Sequence[Path]) -> tuple[SeriesVolume | Refusal, ...]:
    """Every stack of one series, as a volume or with the reason why it is none.

    Raises:
        DataError: a file cannot be read.
        SeriesError: the files are not one series, or not images with a geometry.
    """
    if not paths:
        raise SeriesError("no files; a series has at least one")
    frames = _distinct([read_frame(read_elements(path, WANTED)) for path in paths])
    groups = split(frames)
    return tuple(_made(group, alone=len(groups) == 1) for group in groups)


def _distinct(frames: Sequence[Frame]) -> list[Frame]:
    return list(frames)


def _made(group: Group, *, alone: bool) -> SeriesVolume | Refusal:
    """The volume of a group, or why there is none."""
    try:
        check_group(group, alone=alone)
        stack = stacked(group.frames, siblings=group.siblings)
        return SeriesVolume(_volume(stack), group.label, stack.frames, stack.notes)
    except DataError as error:
        return Refusal(group.label, group.frames, str(error))


def _volume(stack: Stack) -> Volume:
    first = stack.frames[0]
    shape = (len(stack.frames), first.rows, first.columns)
    if math.prod(shape) * 4 > LARGEST:
        raise GeometryError(f"{shape} voxels are more than {LARGEST >> 30} GiB; nothing is read")
    target, view = canonical_room(shape, stack.affine)
    fill(view, stack.frames)
    return target
