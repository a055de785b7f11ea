"""A volume as the bytes of a NIfTI-1 file.

The same volume gives the same bytes: no name, time or version of a program stands in them.
"""

from __future__ import annotations

from typing import Any, cast

import nibabel
from isal import isal_zlib

from mmmed.readers.volume import Volume

SCANNER_SPACE = 1
"""NIfTI's code for coordinates of the scanner."""

LEVEL = 1
"""Compression: noise of a scanner compresses little better at a higher one."""


def nifti_bytes(volume: Volume) -> bytes:
    """A gzip'd NIfTI-1 file of float32 voxels; its sform and qform hold the affine."""
    header: Any = nibabel.Nifti1Header()  # type: ignore[no-untyped-call]  # nibabel is untyped
    header.set_data_dtype("<f4")
    header.set_data_shape(volume.data.shape)
    header.set_sform(volume.affine, code=SCANNER_SPACE)
    header.set_qform(volume.affine, code=SCANNER_SPACE, strip_shears=True)
    header.set_xyzt_units("mm")
    header.set_slope_inter(1, 0)
    header["vox_offset"] = 352
    no_extension = bytes(4)
    packer = isal_zlib.compressobj(LEVEL, wbits=31)
    parts = (
        packer.compress(bytes(header.binaryblock) + no_extension),
        packer.compress(volume.data.astype("<f4", copy=False).tobytes(order="F")),
        packer.flush(),
    )
    return b"".join(cast("tuple[bytes, ...]", parts))
