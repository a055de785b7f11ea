"""Tiles of slides as items: each is looked at once, and read whenever it is asked for.

facts   what looking at the tiles of a slide told: shape and record; kept in the cache, so that the
        next run reads a slide for its digest alone
ready   arrays that were made lately, in memory, within `READY` bytes per process

No pixel is written to disk.
"""

from __future__ import annotations

import math
import os
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache
from importlib import metadata
from itertools import groupby
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from mmmed.errors import DataError, RunError, SlideError
from mmmed.readers.slide.files import files_of
from mmmed.readers.slide.kept import State, read_tile, state_of
from mmmed.readers.source import Source
from mmmed.record import atomic, digest
from mmmed.transforms.apply import Applied, apply
from mmmed.transforms.chain import Chain
from mmmed.transforms.prepared import Lazy, Prepared, Refused, versions
from mmmed.transforms.raster import of_image

READY = 256 << 20
"""Bytes."""

READERS = 4
"""Threads of a process that read ahead."""

Fact = Mapping[str, Any]


def prepare_tiles(
    sources: Sequence[Source], chain: Chain, *, cache: Path, jobs: int
) -> Iterator[Prepared | Refused]:
    """Every tile looked at or refused, in the order given, slide by slide.

    Args:
        sources: with tiles; best the tiles of a slide one after another.
        chain: that each goes through.
        cache: where facts are kept.
        jobs: threads, each at a slide of its own.
    """
    slides = [tuple(mine) for _, mine in groupby(sources, key=_slide)]
    reading = Parallel(n_jobs=jobs, prefer="threads", return_as="generator")
    for outcomes in reading(delayed(_of_slide)(mine, chain, cache) for mine in slides):
        yield from outcomes


def load_tile(source: Source, lazy: Lazy) -> np.ndarray:
    """A tile after its chain, (C, H, W) float32; the caller's own to write to.

    Raises:
        DataError: the slide has changed since it was looked at, or cannot be read.
    """
    found = _ready.find(lazy.key)
    if found is None:
        found = _made(source, lazy.chain, lazy.state).raster.data
        _ready.keep(lazy.key, found)
    return found.copy()


def load_tiles(items: Sequence[Prepared]) -> list[np.ndarray]:
    """Several tiles, read by several threads.

    Raises:
        DataError: as `load_tile`.
    """
    orders = [(item.source, item.lazy) for item in items if item.lazy is not None]
    return list(_readers(os.getpid()).map(lambda order: load_tile(*order), orders))


def read_ahead(items: Iterable[Prepared]) -> None:
    """Begin to read what will be asked for soon, as much as `READY` has room for twice.

    A fault is told when the tile is asked for.
    """
    room = READY // 2
    for item in items:
        room -= 4 * math.prod(item.shape)
        if room < 0:
            return
        if item.lazy is not None and _ready.find(item.lazy.key) is None:
            _readers(os.getpid()).submit(load_tile, item.source, item.lazy)


class _Ready:
    """Arrays by key, those forgotten first that were not asked for the longest."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._bytes = 0
        self._arrays: OrderedDict[str, np.ndarray] = OrderedDict()
        self._lock = Lock()

    def find(self, key: str) -> np.ndarray | None:
        with self._lock:
            if key in self._arrays:
                self._arrays.move_to_end(key)
            return self._arrays.get(key)

    def keep(self, key: str, array: np.ndarray) -> None:
        with self._lock:
            if key in self._arrays:
                return
            self._arrays[key] = array
            self._bytes += array.nbytes
            while self._bytes > self._most:
                _, oldest = self._arrays.popitem(last=False)
                self._bytes -= oldest.nbytes


_ready = _Ready(READY)


@lru_cache(maxsize=1)
def _readers(process: int) -> ThreadPoolExecutor:  # noqa: ARG001 - threads do not outlive a fork
    return ThreadPoolExecutor(max_workers=READERS, thread_name_prefix="tiles")


def _slide(source: Source) -> tuple[Path, tuple[Path, ...], float | None]:
    return source.path, source.files, source.mpp


def _of_slide(tiles: Sequence[Source], chain: Chain, cache: Path) -> list[Prepared | Refused]:
    first = tiles[0]
    try:
        state = state_of(first)
        content = _content(first.path, first.files, state)
    except DataError as error:
        return [Refused(one, str(error)) for one in tiles]
    about = {"slide": content, "mpp": first.mpp, "chain": chain.digest, "versions": _versions()}
    keys = [digest.of_value({**about, "tile": _as_value(one)}) for one in tiles]
    place = cache / "tiles" / f"{digest.of_value(keys)}.json"
    known = _known(place)
    outcomes = [
        _outcome(one, known.get(key), content, Lazy(chain=chain, key=key, state=state))
        for one, key in zip(tiles, keys, strict=True)
    ]
    facts = {
        one.lazy.key: {"shape": list(one.shape), "record": list(one.record)}
        for one in outcomes
        if isinstance(one, Prepared) and one.lazy is not None
    }
    if facts.keys() - known.keys():
        atomic.write_json(place, facts)
    return _told_once(outcomes)


def _outcome(source: Source, fact: Fact | None, content: str, lazy: Lazy) -> Prepared | Refused:
    try:
        found = fact or _looked_at(source, lazy)
    except DataError as error:
        text = str(error)
        named = text.startswith(str(source.path))
        return Refused(source, text if named else f"{source.path}: {_place(source)}: {text}")
    shape, record = tuple(found["shape"]), tuple(found["record"])
    return Prepared(source, None, content, shape, record, lazy=lazy)


def _looked_at(source: Source, lazy: Lazy) -> Fact:
    applied = _made(source, lazy.chain, lazy.state)
    return {"shape": list(applied.raster.data.shape), "record": list(applied.record)}


def _made(source: Source, chain: Chain, state: State) -> Applied:
    stored = read_tile(source, state=state)
    values = stored.transpose(2, 0, 1).astype(np.float32, order="C")
    values /= np.float32(0xFF)
    return apply(of_image(values), chain.prepare, space=None)


def _told_once(outcomes: list[Prepared | Refused]) -> list[Prepared | Refused]:
    """The same outcomes; of several tiles that are refused, all with the first one's reason."""
    refused = [one for one in outcomes if isinstance(one, Refused)]
    if len(refused) < 2:
        return outcomes
    reason = f"{refused[0].reason}; {len(refused)} of {len(outcomes)} tiles are left out"
    return [replace(one, reason=reason) if isinstance(one, Refused) else one for one in outcomes]


def _as_value(source: Source) -> list[float] | None:
    tile = source.tile
    return None if tile is None else [tile.x, tile.y, tile.mpp, tile.pixels]


def _versions() -> dict[str, str]:
    return {**dict(versions()), "openslide": metadata.version("openslide-bin")}


def _place(source: Source) -> str:
    tile = source.tile
    return "no tile" if tile is None else f"tile at {tile.x}, {tile.y} of {tile.mpp:g} um per pixel"


@lru_cache(maxsize=4096)
def _content(path: Path, files: tuple[Path, ...], state: State) -> str:  # noqa: ARG001 - a key
    """The SHA-256 of a slide's file; of several, of theirs in any order."""
    try:
        found = [digest.of_file(one) for one in files_of(path, files)]
    except OSError as error:
        raise SlideError(f"{path}: cannot be read ({error.strerror}); mend the path") from error
    return found[0] if len(found) == 1 else digest.of_value(sorted(found))


def _known(place: Path) -> dict[str, Fact]:
    """The facts that are kept; none where there are none or they are broken."""
    try:
        found = atomic.read_json(place)
    except RunError:
        return {}
    return dict(found) if isinstance(found, dict) else {}
