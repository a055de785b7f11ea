"""NIfTI-1 and NIfTI-2 files as volumes, strictly.

volume       one 3-D image of real numbers, stored slope and intercept applied
orientation  canonical RAS: the first axis runs to the right, then front, then up

A file is refused with its reason before memory is taken for it: the header states how many bytes
follow, a compressed file cannot hold more than `HIGHEST_RATIO` times its size, and inflation stops
where the header says the image ends.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import nibabel as nib
import numpy as np
from isal import igzip, isal_zlib
from nibabel.spatialimages import HeaderDataError

from mmmed.errors import DataError, GeometryError
from mmmed.readers.opening import impostor, opened
from mmmed.readers.volume import Volume, canonical_room

LARGEST = 2 << 30
"""Bytes of the largest image read: a 512 x 512 x 1024 volume of doubles."""

LARGEST_HEADER = 16 << 20
"""Bytes that may stand before the voxels: the header and its extensions."""

TRAILING = 1 << 20
"""Bytes that may follow the voxels; some writers pad their files."""

HIGHEST_RATIO = 1100
"""Deflate expands at most 1032-fold; the rest is room for headers."""

_GZIP = b"\x1f\x8b"
_HEADERS: dict[int, Any] = {348: nib.Nifti1Header, 540: nib.Nifti2Header}
_MAGIC = {348: (344, b"n+1\0", b"ni1\0"), 540: (4, b"n+2\0", b"ni2\0")}
_BROKEN: tuple[type[Exception], ...] = (
    EOFError,
    zlib.error,
    isal_zlib.error,  # type: ignore[assignment]  # its stub declares an instance
)


@dataclass(frozen=True)
class _Layout:
    """Where the voxels of a file lie and what they are."""

    shape: tuple[int, int, int]
    dtype: np.dtype[Any]
    offset: int
    slope: float
    intercept: float
    affine: np.ndarray

    @property
    def plain(self) -> bool:
        """Whether what is stored are the values."""
        return self.slope == 1.0 and self.intercept == 0.0

    @property
    def count(self) -> int:
        """Bytes of the voxels."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_volume(path: Path) -> Volume:
    """The volume in a `.nii` or `.nii.gz` file.

    Raises:
        DataError: the file is not there, empty, not what its name says, truncated, larger than
            its header or than `LARGEST`, or holds NaN or infinity.
        GeometryError: not one 3-D volume, a size of zero, or no usable affine.
    """
    with opened(path, broken=_BROKEN) as (file, size):
        stream, layout = _begun(path, file, size)
        stored = _voxels(path, stream, layout)
    return _canonical(path, stored, layout)


def check_header(path: Path) -> None:
    """Check what a file's header says of the image and whether the file can hold it.

    Voxels are not read: one that is truncated within compressed voxels passes, and so does NaN.

    Raises:
        DataError: as `read_volume`, as far as a header shows it.
        GeometryError: the same.
    """
    with opened(path, broken=_BROKEN) as (file, size):
        _begun(path, file, size)


def _begun(path: Path, file: BinaryIO, size: int) -> tuple[BinaryIO, _Layout]:
    """The inflated stream, standing behind the fixed header, and the layout."""
    start = file.read(256)
    file.seek(0)
    packed = start.startswith(_GZIP)
    if packed != path.name.endswith(".gz"):
        raise DataError(f"{path}: {_looks_like(start, packed=packed)}")
    stream = cast("BinaryIO", _inflating(file)) if packed else file
    layout = _layout(path, stream)
    end = layout.offset + layout.count
    if layout.count > LARGEST or layout.offset > LARGEST_HEADER:
        raise DataError(
            f"{path}: the header states {end / 2**30:.1f} GiB; at most {LARGEST >> 30} GiB are read"
        )
    if end > (size * HIGHEST_RATIO if packed else size):
        raise DataError(
            f"{path}: truncated: the header states {end} bytes, the file has {size}; copy it again"
        )
    return stream, layout


def _inflating(file: BinaryIO) -> object:
    return igzip.GzipFile(fileobj=file)  # type: ignore[no-untyped-call]  # isal has no types here


def _layout(path: Path, stream: BinaryIO) -> _Layout:
    start = stream.read(348)
    length = _header_length(start)
    if length is None:
        raise DataError(f"{path}: {_looks_like(start, packed=False)}")
    start += stream.read(length - len(start))
    if len(start) < length:
        raise DataError(f"{path}: truncated inside its header; copy the file again")
    place, single, pair = _MAGIC[length]
    magic = start[place : place + 4]
    if magic == pair:
        raise DataError(f"{path}: is the header of a .hdr/.img pair; convert it to one .nii.gz")
    if magic != single:
        raise DataError(f"{path}: has no NIfTI magic ({magic!r}); convert it to NIfTI")
    try:
        header = _HEADERS[length](start, check=False)
        return _described(path, header, length)
    except (HeaderDataError, KeyError, TypeError) as error:
        raise DataError(f"{path}: unreadable header ({error})") from error


def _described(path: Path, header: Any, length: int) -> _Layout:
    shape = _shape(path, [int(size) for size in header["dim"]])
    dtype = header.get_data_dtype()
    if dtype.kind not in "iuf" or dtype.itemsize > 8:
        raise DataError(f"{path}: voxels are {dtype}; real numbers of at most 8 bytes are read")
    stored = float(header["vox_offset"])
    if not 0 <= stored < 2**62:
        raise DataError(f"{path}: unreadable header (voxels at byte {stored})")
    slope, intercept = header.get_slope_inter()
    return _Layout(
        shape=shape,
        dtype=dtype,
        offset=max(int(stored), length + 4),
        slope=1.0 if slope is None else float(slope),
        intercept=0.0 if intercept is None else float(intercept),
        affine=_affine(path, header),
    )


def _shape(path: Path, dim: list[int]) -> tuple[int, int, int]:
    """The three axes of `dim`; further axes may have length 1."""
    rank, sizes = dim[0], dim[1:]
    if not 1 <= rank <= 7:
        raise GeometryError(f"{path}: unreadable header ({rank} dimensions)")
    shape = sizes[:rank]
    if any(size < 1 for size in shape):
        raise GeometryError(f"{path}: has the shape {tuple(shape)}; no axis may be below 1")
    if math.prod(shape[3:]) > 1:
        raise GeometryError(
            f"{path}: {rank}-D with {math.prod(shape[3:])} volumes; one 3-D volume is expected: "
            "average or choose frames first"
        )
    if rank < 3 or min(shape[:3]) < 2:
        raise GeometryError(f"{path}: has the shape {tuple(shape)}; a volume has three axes")
    return shape[0], shape[1], shape[2]


def _affine(path: Path, header: Any) -> np.ndarray:
    """The affine of the header's sform, else qform.

    Raises:
        GeometryError: neither is set, so left and right are unknown; or it is singular.
    """
    if int(header["sform_code"]) == 0 and int(header["qform_code"]) == 0:
        raise GeometryError(
            f"{path}: states no orientation (sform and qform are unset), so left and right are "
            "unknown; set the sform"
        )
    affine = np.asarray(header.get_best_affine(), dtype=np.float64)
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-9:
        raise GeometryError(f"{path}: its affine is singular or not finite; set the sform")
    return affine


def _voxels(path: Path, stream: BinaryIO, layout: _Layout) -> np.ndarray:
    """The stored voxels, (i, j, k) in Fortran order."""
    _skip(path, stream, layout.offset)
    buffer = np.empty(layout.count, dtype=np.uint8)
    view = buffer.data
    filled = 0
    while filled < layout.count:
        count = stream.readinto(view[filled:])  # type: ignore[attr-defined] # both streams have it
        if not count:
            raise DataError(
                f"{path}: truncated: {filled} of {layout.count} bytes of voxels; copy it again"
            )
        filled += count
    if len(stream.read(TRAILING + 1)) > TRAILING:
        raise DataError(f"{path}: goes on behind the image that its header states; copy it again")
    return buffer.view(layout.dtype).reshape(layout.shape, order="F")


def _skip(path: Path, stream: BinaryIO, offset: int) -> None:
    left = offset - stream.tell()
    while left > 0:
        got = len(stream.read(min(left, 1 << 16)))
        if got == 0:
            raise DataError(f"{path}: truncated before its voxels; copy the file again")
        left -= got


def _scale(stored: np.ndarray, layout: _Layout, *, into: np.ndarray) -> None:
    """Real-world values as float32; what does not fit becomes infinite and is refused."""
    with np.errstate(over="ignore", invalid="ignore"):
        into[...] = stored if layout.plain else stored * layout.slope + layout.intercept


def _not_finite(path: Path, stored: np.ndarray, layout: _Layout) -> DataError:
    data = np.empty(stored.shape, dtype=np.float32)
    _scale(stored, layout, into=data)
    bad = np.argwhere(~np.isfinite(data))
    first = tuple(int(index) for index in bad[0])
    return DataError(
        f"{path}: {len(bad)} voxels are NaN or infinite, the first at {first}; "
        "mask or export the image again"
    )


def _canonical(path: Path, stored: np.ndarray, layout: _Layout) -> Volume:
    """The volume, scaled, checked and turned a plane at a time, while the plane is in the cache.

    Raises:
        DataError: a voxel is NaN or infinite.
    """
    volume, view = canonical_room(layout.shape, layout.affine)
    across = _across(view)
    planes, room = np.moveaxis(stored, across, 0), np.moveaxis(view, across, 0)
    whole = stored.dtype.kind in "iu" and layout.plain
    values = np.empty(planes.shape[:0:-1], dtype=np.float32)
    for plane, place in zip(planes, room, strict=True):
        _scale(plane.T, layout, into=values)
        if not (whole or np.isfinite(values).all()):
            raise _not_finite(path, stored, layout)
        place[...] = values.T
    return volume


def _across(view: np.ndarray) -> int:
    """The axis along which neither the file nor the volume has neighbours in memory."""
    return max((1, 2), key=lambda axis: abs(view.strides[axis]))


def _header_length(start: bytes) -> int | None:
    """348 or 540 as the first four bytes say in either byte order; None for anything else."""
    orders = {int.from_bytes(start[:4], "little"), int.from_bytes(start[:4], "big")}
    return next((length for length in _HEADERS if length in orders), None)


def _looks_like(start: bytes, *, packed: bool) -> str:
    known = impostor(start)
    if known is not None:
        return known
    if packed:
        return "is gzip, but its name does not end in .gz; rename it"
    if _header_length(start):
        return "is NIfTI, but not compressed as its name says; rename it"
    return f"is no NIfTI (it begins with {start[:12]!r}); convert it to NIfTI"
