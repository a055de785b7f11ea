"""Whole slides whose tiles are JPEG or JPEG 2000: TIFF as Aperio writes it, and DICOM.

Tiles are coded by Pillow. The TIFF around them is written here, as tifffile codes JPEG by a package
that nothing else needs.
"""

import io
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from pydicom import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    VLWholeSlideMicroscopyImageStorage,
)
from slides import block_means

APERIO = (
    "Aperio Image Library v11.2.1 \r\n"
    "{width}x{height} (256x256) JPEG/RGB Q=90|AppMag = 20|MPP = {mpp}"
)
LONG, SHORT, ASCII = 4, 3, 2
COMPRESSION = {"jpeg": 7, "jpeg-2000": 33005, "jpeg-2000-lossy": 33005}
UIDS = {"jpeg": JPEGBaseline8Bit, "jpeg-2000": JPEG2000Lossless, "plain": ExplicitVRLittleEndian}


def tiles(image: np.ndarray, codec: str, side: int) -> list[bytes]:
    """The tiles of an image, row by row, coded; the last of a row or column are padded."""
    rows, columns = image.shape[:2]
    coded = []
    for top in range(0, rows, side):
        for left in range(0, columns, side):
            part = image[top : top + side, left : left + side]
            edges = ((0, side - part.shape[0]), (0, side - part.shape[1]), (0, 0))
            coded.append(_coded(np.pad(part, edges, mode="edge"), codec))
    return coded


def write_svs(
    path: Path,
    image: np.ndarray,
    *,
    codec: str,
    factors: Sequence[int] = (1, 2, 4),
    side: int = 64,
    description: str | None = None,
    label: np.ndarray | None = None,
) -> Path:
    """Write a pyramid as a tiled TIFF, little-endian; with a label behind it as Aperio has it."""
    content = bytearray(struct.pack("<2sHI", b"II", 42, 0))
    previous = 4
    for factor in factors:
        level = image if factor == 1 else block_means(image, factor)
        text = description if factor == 1 else None
        previous = _directory(content, previous, level, codec=codec, side=side, text=text)
    if label is not None:
        text = "Aperio Image Library v11.2.1\r\nlabel 200x100"
        _directory(content, previous, label, codec="plain", side=0, text=text)
    path.write_bytes(content)
    return path


def write_dicom(
    path: Path,
    image: np.ndarray,
    *,
    mpp: float | None,
    codec: str = "jpeg",
    side: int = 64,
    flavor: str = "VOLUME",
    series: str = "1.2.826.0.1.3680043.8.498.1",
) -> Path:
    """Write one image of a slide, TILED_FULL; its instance is numbered by its width."""
    rows, columns = image.shape[:2]
    one = Dataset()
    one.SOPClassUID = VLWholeSlideMicroscopyImageStorage
    one.SOPInstanceUID = f"{series}.{columns}"
    one.StudyInstanceUID, one.SeriesInstanceUID = f"{series}.0", series
    one.Modality = "SM"
    one.ImageType = ["ORIGINAL", "PRIMARY", flavor, "NONE"]
    one.DimensionOrganizationType = "TILED_FULL"
    one.TotalPixelMatrixColumns, one.TotalPixelMatrixRows = columns, rows
    one.TotalPixelMatrixFocalPlanes = 1
    one.Columns = one.Rows = side
    one.SamplesPerPixel, one.PlanarConfiguration = 3, 0
    one.PhotometricInterpretation = {"jpeg": "YBR_FULL_422", "jpeg-2000": "YBR_RCT"}.get(
        codec, "RGB"
    )
    one.BitsAllocated = one.BitsStored = 8
    one.HighBit, one.PixelRepresentation = 7, 0
    path_of_light = Dataset()
    path_of_light.OpticalPathIdentifier = "1"
    path_of_light.ObjectiveLensPower = 40
    one.OpticalPathSequence = [path_of_light]
    if mpp is not None:
        measures, shared = Dataset(), Dataset()
        measures.PixelSpacing = [mpp / 1000, mpp / 1000]
        measures.SliceThickness = 0.001
        shared.PixelMeasuresSequence = [measures]
        one.SharedFunctionalGroupsSequence = [shared]
    frames = tiles(image, codec, side)
    one.NumberOfFrames = len(frames)
    one.PixelData = b"".join(frames) if codec == "plain" else encapsulate(frames)
    one["PixelData"].VR = "OB"
    one.file_meta = Dataset()
    one.file_meta.TransferSyntaxUID = UIDS[codec]
    one.save_as(path, enforce_file_format=True)
    return path


def _coded(part: np.ndarray, codec: str) -> bytes:
    file = io.BytesIO()
    if codec == "plain":
        return part.tobytes()
    if codec == "jpeg":
        Image.fromarray(part).save(file, format="JPEG", quality=95, subsampling=0, keep_rgb=False)
    else:
        loss = {"irreversible": True, "quality_layers": [20]} if codec.endswith("lossy") else {}
        Image.fromarray(part).save(file, format="JPEG2000", no_jp2=True, mct=1, **loss)
    return file.getvalue()


def _directory(
    content: bytearray, previous: int, image: np.ndarray, *, codec: str, side: int, text: str | None
) -> int:
    """Append an image and its directory, linked from the directory before; where its link lies."""
    rows, columns = image.shape[:2]
    parts = tiles(image, codec, side) if side else [image.tobytes()]
    places = []
    for part in parts:
        places.append(len(content))
        content += part
    entries: list[tuple[int, int, Sequence[int] | bytes]] = [
        (254, LONG, [0 if previous == 4 else 1]),
        (256, LONG, [columns]),
        (257, LONG, [rows]),
        (258, SHORT, [8, 8, 8]),
        (259, SHORT, [COMPRESSION.get(codec, 1)]),
        (262, SHORT, [6 if codec == "jpeg" else 2]),
        (277, SHORT, [3]),
    ]
    counts = [len(part) for part in parts]
    if side:
        entries += [
            (322, LONG, [side]),
            (323, LONG, [side]),
            (324, LONG, places),
            (325, LONG, counts),
        ]
    else:
        entries += [(273, LONG, places), (278, LONG, [rows]), (279, LONG, counts)]
    if codec == "jpeg":
        entries.append((530, SHORT, [1, 1]))
    if text is not None:
        entries.append((270, ASCII, text.encode() + b"\0"))
    fields = [_field(content, *entry) for entry in sorted(entries)]
    content += b"\0" * (len(content) % 2)
    struct.pack_into("<I", content, previous, len(content))
    content += struct.pack("<H", len(fields)) + b"".join(fields) + bytes(4)
    return len(content) - 4


def _field(content: bytearray, tag: int, kind: int, value: Sequence[int] | bytes) -> bytes:
    size = {LONG: "I", SHORT: "H"}
    packed = (
        value if isinstance(value, bytes) else struct.pack(f"<{len(value)}{size[kind]}", *value)
    )
    if len(packed) > 4:
        content += b"\0" * (len(content) % 2)
        place = len(content)
        content += packed
        packed = struct.pack("<I", place)
    return struct.pack("<HHI", tag, kind, len(value)) + packed.ljust(4, b"\0")
