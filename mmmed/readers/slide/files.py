"""The files of a slide: one in most formats, in some a folder or a list of further ones.

MIRAX       a `.mrxs` file, and a folder of the same name with its data
Hamamatsu   a `.vms` or `.vmu` file that names its images
DICOM       the files of one series, which whoever found them states
"""

from __future__ import annotations

import os
from pathlib import Path

MIRAX, LISTING = ".mrxs", (".vms", ".vmu")
LONGEST = 1 << 20
"""Bytes of a listing that are read."""


def files_of(path: Path, stated: tuple[Path, ...] = ()) -> tuple[Path, ...]:
    """Every file that the pixels of a slide come from, in an order of its own.

    Args:
        path: the file that is opened.
        stated: all files, where they are known.

    Raises:
        OSError: a listing cannot be read.
    """
    if stated:
        return tuple(sorted(stated))
    kind = path.suffix.lower()
    if kind == MIRAX:
        return (path, *_below(path.with_suffix("")))
    if kind in LISTING:
        return (path, *_listed(path))
    return (path,)


def _below(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(Path(one.path) for one in os.scandir(folder) if one.is_file())


def _listed(path: Path) -> list[Path]:
    """Files beside a listing that it names as values, `key=name`."""
    with path.open("rb") as file:
        lines = file.read(LONGEST).decode("utf-8", "replace").splitlines()
    names = {line.partition("=")[2].strip() for line in lines}
    beside = {one.name: Path(one.path) for one in os.scandir(path.parent) if one.is_file()}
    return sorted(beside[name] for name in names if name in beside)
