"""Pictures written byte by byte, where Pillow writes none: 16 bits per colour."""

from __future__ import annotations

import struct
import zlib

import numpy as np


def png(pixels: np.ndarray) -> bytes:
    """A PNG of (H, W, 3) uint16; every second row is filtered by its left neighbour."""
    height, width, _ = pixels.shape
    rows = []
    for place, row in enumerate(pixels.astype(">u2")):
        stored = np.frombuffer(row.tobytes(), np.uint8).copy()
        if place % 2:
            stored[6:] -= stored[:-6].copy()
        rows.append(bytes([place % 2]) + stored.tobytes())
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(b"".join(rows)))
        + _chunk(b"IEND", b"")
    )


def stating(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header states a size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(bytes(1000)))
        + _chunk(b"IEND", b"")
    )


def tiff(
    pixels: np.ndarray,
    *,
    order: str = "<",
    packed: bool = False,
    photometric: int | None = None,
    tile: int = 0,
) -> bytes:
    """A TIFF of (H, W) or (H, W, 3) uint16, deflated where `packed`, with square tiles if any."""
    height, width = pixels.shape[:2]
    count = 1 if pixels.ndim == 2 else pixels.shape[2]
    data = pixels.astype(f"{order}u2").tobytes()
    data = zlib.compress(data) if packed else data
    bits = struct.pack(f"{order}{count}H", *[16] * count)
    meaning = photometric if photometric is not None else (1 if count == 1 else 2)
    values = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, count, 16),
        (259, 3, 1, 8 if packed else 1),
        (262, 3, 1, meaning),
        (273, 4, 1, 0),
        (277, 3, 1, count),
        (278, 4, 1, height),
        (279, 4, 1, len(data)),
        *([(322, 4, 1, tile), (323, 4, 1, tile)] if tile else []),
    ]
    behind = 8 + 2 + 12 * len(values) + 4
    entries = b""
    for tag, kind, number, value in values:
        if tag == 258 and count > 1:
            value = behind
        if tag == 273:
            value = behind + len(bits)
        entries += struct.pack(f"{order}HHI", tag, kind, number)
        small = kind == 3 and number == 1
        entries += struct.pack(f"{order}HH", value, 0) if small else struct.pack(f"{order}I", value)
    start = struct.pack(f"{order}2sHI", b"II" if order == "<" else b"MM", 42, 8)
    number = struct.pack(f"{order}H", len(values))
    return start + number + entries + bytes(4) + bits + data


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
