"""Prepared arrays on disk, found again by what they were made from.

key     SHA-256 of the file's bytes, the space it declares, the chain and the versions at work
array   `<key>.npy`, C order, uncompressed, so that it can be mapped into memory
note    `<key>.json`, written last: the array's shape, checksum and what was done

Both are renamed into place, so that a kill or a second writer leaves a whole file or none; an
array that does not fit its note is made again.
"""

from __future__ import annotations

import json
import os
import tempfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from mmmed import __version__
from mmmed.modality import Pattern
from mmmed.readers.slide.kept import State
from mmmed.readers.source import Source
from mmmed.record import digest
from mmmed.transforms.chain import Chain

FORMAT = 5
"""Raised when the same versions and chain would make other bytes."""


@dataclass(frozen=True)
class Placed:
    """A registration as it is kept.

    Attributes:
        matrix: (4, 4) as rows, mm of the scan -> mm of the template.
        checks: name -> value.
    """

    matrix: tuple[tuple[float, ...], ...]
    checks: Mapping[str, float]


@dataclass(frozen=True)
class Prepared:
    """An item ready to load.

    Attributes:
        source: where it comes from.
        path: the array in the cache; None for what is read where it lies: a row, or a tile.
        digest: SHA-256 of the file (of the row, for a vector).
        shape: (C, *space) or (F,).
        record: what was done, in words per step.
        affine: of a volume, voxel index -> mm after the last step; None for other items.
        placed: where a map was sought: the map (4, 4) as rows, and its checks.
        derivation: of a PET, how its values became SUVbw or would, as plain values: of a DICOM
            series its own, of a file what its sidecar keeps.
        guided: where it was registered through a scan of the same case: that scan, and the item
            prepared without it.
        lazy: of a tile of a slide, how it is read; None for any other item.
    """

    source: Source
    path: Path | None
    digest: str
    shape: tuple[int, ...]
    record: tuple[str, ...] = field(default=(), repr=False)
    affine: tuple[tuple[float, ...], ...] | None = field(default=None, repr=False)
    placed: Placed | None = field(default=None, repr=False)
    derivation: Mapping[str, Any] | None = field(default=None, repr=False, compare=False)
    guided: Guided | None = field(default=None, repr=False)
    lazy: Lazy | None = field(default=None, repr=False, compare=False)

    @property
    def identity(self) -> tuple[str, ...]:
        """What names the array: that of the cache, a vector's row, a tile; and that made alone."""
        own = self.digest if self.path is None else self.path.stem
        if self.lazy is not None:
            own = self.lazy.key
        return (own, *(self.guided.alone.identity if self.guided else ()))

    def among(self, shown: Pattern) -> Prepared:
        """The item as a case may show it: a scan that is hidden had no part in its making."""
        if self.guided is None or self.guided.modality in shown.names:
            return self
        return self.guided.alone


@dataclass(frozen=True)
class Lazy:
    """How a tile of a slide is read.

    Attributes:
        chain: that it goes through.
        key: what names its array: content and place, chain and versions.
        state: of the slide's files when they were checked.
    """

    chain: Chain
    key: str
    state: State


@dataclass(frozen=True)
class Guided:
    """By what an item was registered.

    Attributes:
        modality: of the scan that it went through.
        source: where that scan comes from.
        alone: the same item, prepared as if that scan did not exist.
    """

    modality: str
    source: Source
    alone: Prepared


@dataclass(frozen=True)
class Refused:
    """An item that cannot be prepared, and why.

    Attributes:
        source: where it comes from.
        reason: in one line.
        placed: where it failed the checks of its registration: the map and the checks.
    """

    source: Source
    reason: str
    placed: Placed | None = field(default=None, repr=False)


def refusals(
    outcomes: Mapping[tuple[str, Source], Prepared | Refused],
) -> dict[tuple[str, Source], str]:
    """(modality, source) -> why it is of no use; files of a series are numbered, not named.

    Names of DICOM files and their folders may be a patient's.
    """
    return {key: _nameless(one) for key, one in outcomes.items() if isinstance(one, Refused)}


def _nameless(one: Refused) -> str:
    reason, files = one.reason, sorted(one.source.files)
    for number, path in enumerate(files, start=1):
        reason = reason.replace(str(path), f"file {number} of {len(files)}")
    return reason


def key(
    file_digest: str,
    *,
    space: str | None,
    chain: str,
    suv: bool = False,
    guide: Sequence[str | None] | None = None,
) -> str:
    """What names the prepared array of a file.

    Args:
        file_digest: of the file.
        space: that it declares.
        chain: digest of the chain.
        suv: the file says that its values are SUVbw.
        guide: digest and declared space of the scan that it is registered through.
    """
    return digest.of_value(
        {
            "file": file_digest,
            **({"guide": list(guide)} if guide else {}),
            "space": space,
            "suv": suv,
            "chain": chain,
            "versions": dict(versions()),
        }
    )


def find(folder: Path, name: str) -> tuple[Path, Mapping[str, Any]] | None:
    """The array called `name` and its note; None where there is none or it is not whole."""
    array = _place(folder, name)
    try:
        note = json.loads(array.with_suffix(".json").read_text(encoding="utf-8"))
        whole = array.stat().st_size == note["bytes"] and _checksum(array) == note["crc32"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return (array, note) if whole else None


def store(
    folder: Path, name: str, data: np.ndarray, facts: Mapping[str, Any]
) -> tuple[Path, Mapping[str, Any]]:
    """Keep an array and plain facts about it under `name`."""
    array = _place(folder, name)
    array.parent.mkdir(parents=True, exist_ok=True)
    contiguous = np.ascontiguousarray(data, dtype=np.float32)
    _renamed(array, lambda path: _save(path, contiguous))
    note = {
        "shape": list(contiguous.shape),
        "bytes": array.stat().st_size,
        "crc32": _checksum(array),
        **facts,
    }
    text = json.dumps(note, ensure_ascii=False)
    _renamed(array.with_suffix(".json"), lambda path: path.write_text(text, encoding="utf-8"))
    return array, note


def _place(folder: Path, name: str) -> Path:
    return folder / "prepared" / name[:2] / f"{name}.npy"


def _renamed(path: Path, write: Callable[[Path], object]) -> None:
    """Write beside `path`, then rename; not synced, for what can be made again."""
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _save(path: Path, data: np.ndarray) -> None:
    with path.open("wb") as file:
        np.save(file, data, allow_pickle=False)


def _checksum(path: Path) -> int:
    value = 0
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            value = zlib.crc32(block, value)
    return value


@lru_cache(maxsize=1)
def versions() -> tuple[tuple[str, str], ...]:
    """What decides the bytes of a prepared array beside file and chain."""
    names = ("monai", "nibabel", "nilearn", "numpy", "pillow", "scipy", "simpleitk", "torch")
    return (
        ("format", str(FORMAT)),
        ("mmmed", __version__),
        *((name, metadata.version(name)) for name in names),
    )
