"""Noise in the form of a scan: a file of the same kind, geometry and header with other values.

uniform    every value is drawn between the least and the greatest of the scan
trembling  every value is multiplied by a draw from 0.5 to 1.5: what a chain accepts that registers
           scans, and refuses whatever is no head
"""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import nibabel
import numpy as np
import pydicom
from PIL import Image

from mmmed.errors import DataError
from mmmed.readers.image import read_image

Noise = Literal["uniform", "trembling"]
NOISES: tuple[Noise, ...] = ("uniform", "trembling")
"""From the one that is least like a scan on."""

_LEVEL = 1
_EXPLICIT = pydicom.uid.ExplicitVRLittleEndian


def disturbed(values: np.ndarray, noise: Noise, random: np.random.Generator) -> np.ndarray:
    """Noise of the shape and type of an array, within the range of its values.

    Args:
        values: of a scan as they are stored, any shape.
        noise: which.
        random: what is drawn from.
    """
    least, greatest = float(values.min()), float(values.max())
    if least == greatest:
        least, greatest = min(least, 0.0), max(greatest, 1.0)
    if noise == "uniform":
        drawn = random.uniform(least, greatest, values.shape)
    else:
        drawn = np.clip(values * random.uniform(0.5, 1.5, values.shape), least, greatest)
    whole = np.rint(drawn) if values.dtype.kind in "iu" else drawn
    return whole.astype(values.dtype)


def write_volume(path: Path, target: Path, *, noise: Noise, random: np.random.Generator) -> None:
    """Write a NIfTI file whose header is another one's and whose voxels are noise."""
    packed = path.name.endswith(".gz")
    content = path.read_bytes()
    content = gzip.decompress(content) if packed else content
    header: Any = nibabel.load(path).header
    dtype, shape = header.get_data_dtype(), header.get_data_shape()
    begin = int(header["vox_offset"]) or len(header.binaryblock) + 4
    end = begin + int(np.prod(shape)) * dtype.itemsize
    stored = np.frombuffer(content[begin:end], dtype=dtype)
    poisoned = content[:begin] + disturbed(stored, noise, random).tobytes() + content[end:]
    target.write_bytes(gzip.compress(poisoned, _LEVEL, mtime=0) if packed else poisoned)


def write_image(path: Path, target: Path, *, noise: Noise, random: np.random.Generator) -> None:
    """Write a picture of the same size, format and number of channels, of noise of 8 bits."""
    values = np.rint(read_image(path) * 0xFF).astype(np.uint8)
    drawn = disturbed(values, noise, random)
    picture = drawn[0] if len(drawn) == 1 else np.ascontiguousarray(drawn.transpose(1, 2, 0))
    with Image.open(path) as image:
        kind = image.format
    Image.fromarray(picture).save(target, format=kind)


def write_series(
    files: Sequence[Path],
    targets: Sequence[Path],
    *,
    noise: Noise,
    random: np.random.Generator,
) -> None:
    """Write DICOM files whose headers are others' and whose pixels are noise, uncompressed.

    Raises:
        DataError: a file holds no pixels that pydicom decodes.
    """
    for path, target in zip(files, targets, strict=True):
        dataset = pydicom.dcmread(path)
        try:
            pixels = dataset.pixel_array
        except (AttributeError, ValueError, RuntimeError, NotImplementedError) as error:
            raise DataError(f"{path}: no pixels to put noise in ({error})") from error
        _write_pixels(dataset, disturbed(pixels, noise, random), target)


def _write_pixels(dataset: pydicom.Dataset, pixels: np.ndarray, target: Path) -> None:
    for keyword in ("FloatPixelData", "DoubleFloatPixelData"):
        if keyword in dataset:
            setattr(dataset, keyword, pixels.tobytes())
            dataset.save_as(target)
            return
    content = pixels.tobytes()
    dataset.PixelData = content + b"\0" * (len(content) % 2)
    dataset["PixelData"].VR = "OB" if pixels.dtype.itemsize == 1 else "OW"
    dataset["PixelData"].is_undefined_length = False
    dataset.file_meta.TransferSyntaxUID = _EXPLICIT
    dataset.save_as(target, implicit_vr=False, little_endian=True)
