"""Opening a file that may be anything: not there, a folder, a pipe, empty, a saved web page."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from mmmed.errors import DataError

_PACKED = (
    ("a ZIP archive", 0, b"PK\x03\x04"),
    ("packed by bzip2", 0, b"BZh"),
    ("packed by xz", 0, b"\xfd7zXZ\0"),
    ("packed by zstd", 0, b"\x28\xb5\x2f\xfd"),
    ("a 7z archive", 0, b"7z\xbc\xaf\x27\x1c"),
    ("a RAR archive", 0, b"Rar!"),
    ("a tar archive", 257, b"ustar"),
)
"""What is no image and may hold some: name, and the bytes at a place that tell it."""


@contextmanager
def opened(path: Path, *, broken: tuple[type[Exception], ...]) -> Iterator[tuple[BinaryIO, int]]:
    """A file, open at its beginning, and its bytes.

    Args:
        path: of the file.
        broken: what a library raises over damaged content, inside the block.

    Raises:
        DataError: no such file, no file at all, empty, cannot be read, truncated or damaged.
    """
    try:
        _check_is_file(path)
        with path.open("rb") as file:
            yield file, _size(path, file)
    except DataError:
        raise
    except OSError as error:
        raise DataError(f"{path}: {_why(path, error)}") from error
    except broken as error:
        raise DataError(f"{path}: {_damaged(error)}") from error


def impostor(start: bytes) -> str | None:
    """What a file that begins so is instead of an image, where that is known."""
    for name, place, magic in _PACKED:
        if start[place : place + len(magic)] == magic:
            return f"is {name}, which is not opened; unpack it first"
    text = start[:256].lstrip(b"\xef\xbb\xbf \t\r\n\0").lower()
    if text.startswith((b"<!doctype html", b"<html", b"<head")):
        return "is a web page (HTML), not an image; fetch the image itself"
    if text.startswith((b"<?xml", b"<!doctype")):
        return "is a text in XML, not an image; fetch the image itself"
    if text.startswith(b"version https://git-lfs"):
        return "is a Git LFS pointer, not an image; fetch the image itself"
    return None


def _check_is_file(path: Path) -> None:
    if path.exists() and not path.is_file():
        kind = "folder" if path.is_dir() else "device or pipe"
        raise DataError(f"{path}: is a {kind}, not a file; name the image itself")


def _size(path: Path, file: BinaryIO) -> int:
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    if size == 0:
        raise DataError(f"{path}: is empty; copy the file again")
    return size


def _why(path: Path, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "is a broken link; fetch the file" if path.is_symlink() else "is not there"
    if error.errno is not None:
        return f"cannot be read ({error.strerror})"
    return _damaged(error)


def _damaged(error: Exception) -> str:
    return f"truncated or damaged ({' '.join(str(error).split())}); copy the file again"
