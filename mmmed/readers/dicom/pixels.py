"""Stored pixels -> values, put where the volume wants them.

native   one number after the other, as the header says: read straight from the file
slab     slices that are read together, so that the volume is written in whole cache lines

What the header states is held against what the file has before memory is taken. Each slice is
rescaled from its own kind of number with its own slope and intercept, so that no slice decides for
another.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache

import numpy as np
from pydicom.uid import RLELossless

from mmmed.errors import DataError
from mmmed.readers.dicom import codestream
from mmmed.readers.dicom.elements import FLOATS
from mmmed.readers.dicom.frame import Frame, Stored
from mmmed.readers.dicom.stream import opened_content, skip
from mmmed.readers.dicom.syntax import DEFLATED, EXPLICIT_BIG, EXPLICIT_LITTLE, IMPLICIT_LITTLE

LARGEST = 2 << 30
"""Bytes of the largest volume, and of the pixels of the largest file."""

SLAB = 64
"""Slices read together: they fill a few cache lines where slices vary fastest in the volume."""

NATIVE = (IMPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_BIG, DEFLATED)

_LINE_STEP = 32
"""Elements between the slices of a slab beyond their size: a power of two between them would put
all into one place of the cache."""


def check_size(stored: Stored) -> None:
    """The file can hold the pixels that its header states.

    Raises:
        DataError: too large, truncated, or of a kind that is not read.
    """
    elements = stored.elements
    needed = frame_bytes(stored) * stored.frames
    if needed > LARGEST:
        raise DataError(
            f"{elements.path}: states {needed / 2**30:.1f} GiB of pixels; at most "
            f"{LARGEST >> 30} GiB are read"
        )
    if elements.syntax not in NATIVE:
        return
    if elements.length is None:
        raise DataError(
            f"{elements.path}: its pixels are in fragments, its header says they are not"
        )
    if _in_words(stored) and frame_bytes(stored) % 2:
        raise DataError(
            f"{elements.path}: an odd number of pixels of 8 bits in big-endian words; convert the "
            "file to little endian"
        )
    if elements.length < needed:
        raise DataError(
            f"{elements.path}: its header describes {needed} bytes of pixels, {elements.length} "
            "are in it; export it again"
        )
    there = elements.size - elements.offset
    if not elements.packed and there < needed:
        raise DataError(
            f"{elements.path}: truncated: its header states {needed} bytes of pixels, the file has "
            f"{max(there, 0)}; copy it again"
        )


def frame_bytes(stored: Stored) -> int:
    """Bytes of one native frame."""
    return stored.rows * stored.columns * (stored.allocated // 8)


def fill(view: np.ndarray, frames: Sequence[Frame]) -> None:
    """Writes the values of the frames into (slice, row, column) of a float32 array of any strides.

    Raises:
        DataError: a file cannot be read, decoded, or states other than it holds.
    """
    shared = Counter(frame.stored for frame in frames)
    readers = {stored: _reader(stored) for stored, count in shared.items() if count > 1}

    def fill_slab(place: int) -> None:
        slab = frames[place : place + SLAB]
        pixels = [_pixels(frame, readers) for frame in slab]
        _rescale(view[place : place + SLAB], pixels, slab)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(fill_slab, range(0, len(frames), SLAB)):
            pass


def digests(frames: Sequence[Frame]) -> list[bytes]:
    """For each frame a digest of its stored values, in how many bits ever they are stored.

    Raises:
        DataError: a file cannot be read, decoded, or states other than it holds.
    """
    found = [b""] * len(frames)
    files: dict[Stored, list[int]] = defaultdict(list)
    for place, frame in enumerate(frames):
        files[frame.stored].append(place)
    for stored, places in files.items():
        check_size(stored)
        readers = {stored: _reader(stored)}
        for place in places:
            found[place] = _digest(_pixels(frames[place], readers))
    return found


def _digest(array: np.ndarray) -> bytes:
    """Row by row, so that little more memory is taken than the pixels have."""
    found = hashlib.blake2b(digest_size=16)
    found.update(b"-" if array.min() < 0 else b"+")  # the largest of 64 bits look negative
    kind = np.float64 if array.dtype.kind == "f" else np.int64
    for row in array:
        found.update((row.astype(kind) + 0).tobytes())  # 0 and -0 are one value
    return found.digest()


Reader = Callable[[int], np.ndarray]
"""Index of a frame in a file -> (rows, columns) as stored."""


def _pixels(frame: Frame, readers: Mapping[Stored, Reader]) -> np.ndarray:
    """The stored values of one frame, (rows, columns) integers or floats."""
    reader = readers.get(frame.stored) or _reader(frame.stored)
    top, left = frame.corner
    return reader(frame.index)[top : top + frame.rows, left : left + frame.columns]


def _reader(stored: Stored) -> Reader:
    """What reads the frames of one file; compressed ones are taken into memory here."""
    if stored.elements.syntax not in NATIVE:
        codestream.check_syntax(stored)
        frames = codestream.split(stored, _value(stored, limit=_compressed_limit(stored)))
        return lru_cache(1)(lambda index: _decoded(stored, frames[index]))
    if stored.elements.packed:
        value = _value(stored, limit=frame_bytes(stored) * stored.frames)
        count = frame_bytes(stored)
        return lambda index: _native(stored, value[index * count : (index + 1) * count])
    return lru_cache(1)(lambda index: _native(stored, _read(stored, index=index)))


def _read(stored: Stored, *, index: int) -> bytes:
    """The bytes of one native frame of a file that is not packed."""
    elements, count = stored.elements, frame_bytes(stored)
    try:
        with elements.path.open("rb", buffering=0) as file:
            file.seek(elements.offset + index * count)
            return file.read(count) or b""
    except OSError as error:
        raise DataError(f"{elements.path}: cannot be read ({error.strerror})") from error


def _in_words(stored: Stored) -> bool:
    """Whether pixels of 8 bits stand in swapped pairs (OW in big endian; PS3.5, 8.1.1)."""
    elements = stored.elements
    return elements.syntax == EXPLICIT_BIG and stored.allocated == 8 and elements.words


def _value(stored: Stored, *, limit: int) -> bytes:
    """The bytes of the pixels, at most `limit` of them."""
    elements = stored.elements
    with opened_content(elements.path) as content:
        skip(content.stream, elements.offset - content.start)
        value = content.stream.read(limit + 1)
    if len(value) > limit and elements.length is None:
        raise DataError(
            f"{elements.path}: its compressed pixels take more than {limit} bytes, uncompressed "
            f"they would take {frame_bytes(stored) * stored.frames}; export it again"
        )
    return value[: min(limit, elements.length or limit)]


def _compressed_limit(stored: Stored) -> int:
    return stored.frames * (2 * frame_bytes(stored) + codestream.ROOM)


def _native(stored: Stored, raw: bytes) -> np.ndarray:
    """Native bytes as (rows, columns).

    Raises:
        DataError: there are too few of them.
    """
    if len(raw) < frame_bytes(stored):
        raise DataError(f"{stored.elements.path}: truncated inside its pixels; copy it again")
    order = ">" if stored.elements.syntax == EXPLICIT_BIG else "<"
    if _in_words(stored):
        raw = np.frombuffer(raw, ">u2").astype("<u2").tobytes()
    floats = stored.elements.pixels in FLOATS
    kind = "f" if floats else "i" if stored.signed else "u"
    array = np.frombuffer(raw, np.dtype(f"{order}{kind}{stored.allocated // 8}"))
    array = array.reshape(stored.rows, stored.columns)
    return array if floats else _integers(stored, array)


def _decoded(stored: Stored, frame: bytes) -> np.ndarray:
    """The values of a codestream; most encoders got them already moved to the lowest bits.

    Raises:
        DataError: damaged, or values beyond the bits that the header states.
    """
    array = codestream.decode(stored, frame)
    least, most = int(array.min()), int(array.max())
    if least >= -(1 << stored.bits - 1) and most < 1 << stored.bits:
        return _integers(replace(stored, high=stored.bits - 1), array)
    if stored.high == stored.bits - 1 and stored.elements.syntax != RLELossless:
        raise DataError(
            f"{stored.elements.path}: holds values from {least} to {most}, beyond the "
            f"{stored.bits} bits that its header states; export it again"
        )
    return _integers(stored, array)


def _integers(stored: Stored, array: np.ndarray) -> np.ndarray:
    """The bits that are the value; above them may stand an overlay or nothing (PS3.5, 8.1.1)."""
    spare = stored.high + 1 - stored.bits
    if not spare:
        least = -(1 << stored.bits - 1) if stored.signed else 0
        if least <= array.min() and array.max() < least + (1 << stored.bits):
            return array
    array = array << (8 * array.itemsize - stored.high - 1)
    return array >> (8 * array.itemsize - stored.bits)


def _rescale(view: np.ndarray, pixels: Sequence[np.ndarray], frames: Sequence[Frame]) -> None:
    """Writes the values of slices that are read together."""
    plain = all(frame.slope == 1 and frame.intercept == 0 for frame in frames)
    kinds = {array.dtype for array in pixels}
    if plain and len(kinds) == 1 and pixels[0].dtype.kind in "iu":
        size = pixels[0].size
        slab = np.empty((len(pixels), size + _LINE_STEP), kinds.pop())[:, :size]
        for row, array in zip(slab, pixels, strict=True):
            row[:] = array.ravel()
        view[...] = slab.reshape(len(pixels), *pixels[0].shape)
        return
    for place, (array, frame) in enumerate(zip(pixels, frames, strict=True)):
        view[place] = _values(array, frame)


def _values(array: np.ndarray, frame: Frame) -> np.ndarray:
    """Rescaled values of one slice as float32.

    Raises:
        DataError: some are NaN, infinite or beyond float32, or their slope is 0.
    """
    if frame.slope == 0 and array.any():
        raise DataError(f"{frame.path}: RescaleSlope is 0, which wipes out every value")
    with np.errstate(over="ignore", invalid="ignore"):
        values = (array * np.float64(frame.slope) + frame.intercept).astype(np.float32)
    if not np.isfinite(values).all():
        raise DataError(
            f"{frame.path}: holds values that are NaN, infinite or beyond float32 (slope "
            f"{frame.slope:g}, intercept {frame.intercept:g}); export it again"
        )
    return values
