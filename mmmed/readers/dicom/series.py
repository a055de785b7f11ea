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

import numpy as np
import pydicom

from mmmed.errors import DataError, GeometryError, SeriesError, join
from mmmed.readers.dicom.census import Census, census
from mmmed.readers.dicom.classic import PATIENT_ID, SERIES_UID
from mmmed.readers.dicom.contents import read_contents
from mmmed.readers.dicom.duplicate import one_per_instance, one_per_place
from mmmed.readers.dicom.elements import Elements, read_data_set
from mmmed.readers.dicom.frame import Frame
from mmmed.readers.dicom.pixels import LARGEST, check_size, fill
from mmmed.readers.dicom.place import repeated
from mmmed.readers.dicom.split import Group, split
from mmmed.readers.dicom.stack import Stack, check_group, stacked
from mmmed.readers.dicom.tag import name_of
from mmmed.readers.volume import Volume, canonical_room

MOST = 2 * LARGEST
"""Bytes that the volumes of one series may take together."""


MOST_TOLD = 8
"""Refused stacks that a message names."""


@dataclass(frozen=True)
class Files:
    """The files of one series that hold images, those of refused stacks too.

    Attributes:
        paths: where they are.
    """

    paths: tuple[Path, ...]

    @cached_property
    def headers(self) -> tuple[pydicom.Dataset, ...]:
        """What they state, without pixels; read when first asked for."""
        return tuple(read_data_set(path) for path in self.paths)


@dataclass(frozen=True)
class SeriesVolume:
    """One stack of a series as a volume.

    Attributes:
        volume: canonical RAS, rescale applied.
        label: what tells it from its siblings; '' for the only stack of its series.
        frames: the slices in the order of their positions, with their times and rescales.
        notes: what was declared, dropped or resampled, one line each.
        series: the files of its series; its siblings share them.
    """

    volume: Volume
    label: str
    frames: tuple[Frame, ...]
    notes: tuple[str, ...]
    series: Files

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
        kind: of the error that it is where no sibling is a volume.
    """

    label: str
    frames: tuple[Frame, ...]
    reason: str
    kind: type[DataError]


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
        raise refused[0].kind(join(_told(refused)))
    notes = tuple(f"its sibling {text}" for text in _told(refused))
    return tuple(dataclasses.replace(one, notes=one.notes + notes) for one in good)


def _told(refused: Sequence[Refusal]) -> list[str]:
    """Why stacks are refused; of very many, the first few and how many more there are."""
    told = [_named(one) for one in refused[:MOST_TOLD]]
    more = len(refused) - len(told)
    return [*told, f"and {more} more are refused"] if more else told


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
    contents = read_contents(paths)
    _check_one(contents.files, SERIES_UID, "series")
    _check_one(contents.files, PATIENT_ID, "patients")
    frames = sorted(contents.frames, key=lambda one: (one.number or 0, one.uid, one.corner))
    distinct = one_per_instance(frames)
    groups = split(distinct)
    _check_all(groups)
    plan = _Plan(
        volumes=len(groups),
        images=sum(len(group.frames) for group in groups),
        census=census(contents.files),
        blamed=contents.blamed(groups),
        notes=_dropped(len(frames) - len(distinct)),
        files=Files(tuple(elements.path for elements in contents.files)),
    )
    return tuple(_made(group, plan) for group in groups)


@dataclass(frozen=True)
class _Plan:
    """What is known of a series when its groups are made into volumes.

    Attributes:
        volumes: groups of the series.
        images: frames in all of them.
        census: how many slices and images it says it has.
        blamed: why slices are missing, where files cannot be used; else ''.
        notes: on all of its volumes.
        files: of the series.
    """

    volumes: int
    images: int
    census: Census
    blamed: str
    notes: tuple[str, ...]
    files: Files


def _check_all(groups: Sequence[Group]) -> None:
    """The volumes of a series fit into memory together; those too large alone are refused alone.

    Raises:
        SeriesError: they do not.
    """
    sizes = [len(one.frames) * one.frames[0].rows * one.frames[0].columns * 4 for one in groups]
    total = sum(size for size in sizes if size <= LARGEST)
    if total > MOST:
        raise SeriesError(
            f"{len(groups)} volumes of together {total / 2**30:.1f} GiB; at most {MOST >> 30} GiB "
            "are read at once: pass fewer files"
        )


def _check_one(files: Sequence[Elements], tag: int, what: str) -> None:
    """All files are of one series or patient.

    Raises:
        SeriesError: they are of several; the values are not shown, they may name a person.
    """
    count = len({elements.text(tag) for elements in files} - {""})
    if count > 1:
        raise SeriesError(
            f"{files[0].path} and {len(files) - 1} others: {name_of(tag)} has {count} values; "
            f"files of {count} {what} are not one series"
        )


def _dropped(count: int) -> tuple[str, ...]:
    return (f"{count} duplicates left out",) if count else ()


def _made(group: Group, plan: _Plan) -> SeriesVolume | Refusal:
    """The volume of a group, or why there is none."""
    notes = plan.notes
    try:
        if group.repeated:
            frames = one_per_place(group.frames)
            notes += _dropped(len(group.frames) - len(frames))
            group = dataclasses.replace(group, frames=tuple(frames), repeated=repeated(frames))
        check_group(group, alone=plan.volumes == 1, blamed=plan.blamed)
        plan.census.check(group)
        stack = stacked(group.frames, siblings=group.siblings)
        notes += plan.census.notes(group, volumes=plan.volumes, images=plan.images)
        notes += (*stack.notes, *_declared(stack.frames))
        notes += (plan.blamed,) if plan.blamed else ()
        if group.fewer:
            notes += (f"{group.fewer} slices fewer than the longest of its siblings",)
        return SeriesVolume(_volume(stack), group.label, stack.frames, notes, plan.files)
    except DataError as error:
        return Refusal(group.label, group.frames, str(error), type(error))


def _declared(frames: Sequence[Frame]) -> tuple[str, ...]:
    """What is unusual about any of them."""
    return tuple(dict.fromkeys(note for frame in frames for note in frame.notes))


def _volume(stack: Stack) -> Volume:
    first, count = stack.frames[0], len(stack.frames)
    for stored in dict.fromkeys(frame.stored for frame in stack.frames):
        check_size(stored)
    rows, columns = (abs(shift) * (count - 1) for shift in stack.shift)
    shape = (count, first.rows + rows, first.columns + columns)
    if math.prod(shape) * 4 > LARGEST:
        raise GeometryError(f"{shape} voxels are more than {LARGEST >> 30} GiB; nothing is read")
    target, view = canonical_room(shape, stack.affine)
    if stack.shift == (0, 0):
        fill(view, stack.frames)
        return target
    upright = np.empty((count, first.rows, first.columns), np.float32)
    fill(upright, stack.frames)
    view[...] = upright.min()
    for place, plane in enumerate(upright):
        top, left = ((place if shift > 0 else place - count + 1) * shift for shift in stack.shift)
        view[place, top : top + first.rows, left : left + first.columns] = plane
    return target
