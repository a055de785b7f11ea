"""From files to arrays: load, apply the chain's deterministic part, keep the result.

Each item is prepared from its own file alone (and a volume's sidecar), so that a case's PET is the
same bytes whether or not the case has an MRI. A chain that registers `through` another modality
prepares each item twice, alone and guided: the first is what a case shows that hides its guide.
A file that cannot be used is refused with its reason and the rest goes on. Vectors and tiles of
slides are read from where they are, each time anew: `rows` and `tiles`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
from joblib import Parallel, delayed

from mmmed.errors import DataError
from mmmed.modality import ItemKind
from mmmed.progress import Progress
from mmmed.readers.dicom.line import one_line
from mmmed.readers.image import read_image
from mmmed.readers.nifti import read_volume
from mmmed.readers.sidecar import declared_space, declares_suv, told_derivation
from mmmed.readers.source import Source
from mmmed.record import digest
from mmmed.transforms import prepared
from mmmed.transforms.apply import Applied, apply
from mmmed.transforms.brain_extraction import installed
from mmmed.transforms.chain import Chain
from mmmed.transforms.prepared import Guided, Placed, Prepared, Refused
from mmmed.transforms.raster import of_image, of_volume
from mmmed.transforms.read import Read
from mmmed.transforms.rows import load_row, read_row
from mmmed.transforms.tiles import load_tile, prepare_tiles

if TYPE_CHECKING:
    from mmmed.transforms.register import Guide

LONGEST = 300
"""Characters of why a guide was not used."""

WORTH_WORKERS = 8.0
"""Seconds of work from which processes are started: each needs some two to begin."""

PROBED = 3
"""Files prepared first, to learn what one costs: the median, as the first one pays imports."""


def prepare(
    sources: Sequence[Source],
    chain: Chain,
    *,
    kind: ItemKind,
    cache: Path,
    jobs: int = 1,
    guides: Mapping[Source, Source] | None = None,
    progress: Progress | None = None,
) -> list[Prepared | Refused]:
    """Every source prepared or refused, in the order given.

    Args:
        sources: of one modality.
        chain: of that modality.
        kind: of its items.
        cache: folder of prepared arrays; made where it is missing.
        jobs: processes that may work.
        guides: source -> the scan that it is registered through, where the chain says so.
        progress: called with (items done, items).

    Raises:
        DataError: the chain is for another kind of item.
        MissingExtra: it needs HD-BET, which is not there.
        StudyError: it needs HD-BET's weights, which are not there.
    """
    if chain.item != kind:
        raise DataError(f"the chain is for items of kind {chain.item}, not {kind}; name another")
    done: list[Prepared | Refused] = []
    if chain.extracts:
        installed()
    known = guides if guides and chain.through else {}
    orders = [(source, known.get(source)) for source in sources]
    for one in _prepared(orders, chain, cache, jobs):
        done.append(one)
        if progress:
            progress(len(done), len(sources))
    return done


def load(item: Prepared) -> np.ndarray:
    """The array of a prepared item: (C, *space) or (F,) float32.

    What is kept is mapped into memory, copy-on-write: it may be written to, its file never changes.

    Raises:
        DataError: the cached array is gone, the row of a table or a slide has changed, or a slide
            cannot be read any more.
    """
    if item.lazy is not None:
        return load_tile(item.source, item.lazy)
    if item.path is None:
        return load_row(item)
    try:
        return np.load(item.path, mmap_mode="c", allow_pickle=False)  # type: ignore[no-any-return]  # numpy says Any
    except (OSError, ValueError) as error:
        raise DataError(f"{item.path}: is gone or damaged ({error}); prepare it again") from error


def _prepared(
    orders: Sequence[tuple[Source, Source | None]], chain: Chain, cache: Path, jobs: int
) -> Iterator[Prepared | Refused]:
    if chain.item == "vector":
        yield from (read_row(source) for source, _ in orders)
        return
    if orders and orders[0][0].tile is not None:
        yield from prepare_tiles([source for source, _ in orders], chain, cache=cache, jobs=jobs)
        return
    seconds = []
    for source, guide in orders[:PROBED]:
        begun = time.monotonic()
        outcome = _prepare_item(source, guide, chain, cache)
        seconds.append(time.monotonic() - begun)
        yield outcome
    rest = orders[PROBED:]
    workers = jobs if rest and median(seconds) * len(rest) > WORTH_WORKERS else 1
    yield from Parallel(n_jobs=workers, return_as="generator")(
        delayed(_prepare_item)(source, guide, chain, cache) for source, guide in rest
    )


def _prepare_item(
    source: Source, guide: Source | None, chain: Chain, cache: Path
) -> Prepared | Refused:
    """A file alone and, where it has a guide that can be used, through that as well."""
    alone = _prepare_file(source, chain, cache)
    modality = chain.through
    if isinstance(alone, Refused) or alone.placed is None or guide is None or modality is None:
        return alone
    found = _prepare_file(source, chain, cache, guide=guide)
    if isinstance(found, Refused):
        reason = found.reason.removeprefix(f"{source.path}: ")
        reason = reason.replace(f"{guide.path.parent}/", "")
        words = one_line(f"register: {modality} not used: {reason}", longest=LONGEST)
        return replace(alone, record=(*alone.record, words))
    return replace(found, guided=Guided(modality, guide, alone))


def _prepare_file(
    source: Source, chain: Chain, cache: Path, *, guide: Source | None = None
) -> Prepared | Refused:
    """One volume or image from the cache, else from its file."""
    try:
        file_digest = _digest_of(source)
        volume = chain.item == "volume"
        space = _space_of(source) if volume else None
        suv = volume and not source.files and chain.registers == "pet" and declares_suv(source.path)
        about = None if guide is None else (_digest_of(guide), _space_of(guide))
        name = prepared.key(file_digest, space=space, chain=chain.digest, suv=suv, guide=about)
        found = prepared.find(cache, name)
        if found is None:
            read = _read(source, chain, suv=suv)
            scan = None if guide is None else _guide(guide)
            applied = apply(read.raster, chain.prepare, space=space, suv=read.suv, guide=scan)
            _check_unchanged(source, file_digest)
            if guide is not None and about is not None:
                _check_unchanged(guide, about[0])
            found = _stored(cache, name, applied, read, volume=volume)
        said = told_derivation(source.path) if volume and not source.files else None
    except DataError as error:
        text = str(error)
        named = text.startswith(tuple(map(str, (source.path, *source.files))))
        return Refused(source, text if named else f"{source.path}: {text}")
    return _outcome(source, file_digest, *found, derivation=said)


def _stored(
    cache: Path, name: str, applied: Applied, read: Read, *, volume: bool
) -> tuple[Path, Mapping[str, Any]]:
    """Keep what was applied; of a scan that failed its checks, the checks alone."""
    facts: dict[str, Any] = {"record": [*read.words, *applied.record]}
    if read.derivation is not None:
        facts["derivation"] = read.derivation
    data = applied.raster.data
    if volume:
        facts["affine"] = applied.raster.affine.tolist()
    if applied.registered:
        quality = applied.registered.quality
        facts["matrix"] = applied.registered.matrix.tolist()
        facts["checks"] = dict(quality.values)
        if quality.verdict == "fail":
            facts["failed"] = "; ".join(quality.reasons)
            data = np.zeros(1, dtype=np.float32)
    return prepared.store(cache, name, data, facts)


def _outcome(
    source: Source,
    file_digest: str,
    path: Path,
    note: Mapping[str, Any],
    *,
    derivation: Mapping[str, Any] | None,
) -> Prepared | Refused:
    placed = Placed(_rows_of(note["matrix"]), note["checks"]) if "matrix" in note else None
    if "failed" in note:
        reason = f"{source.path}: is no head in its place: {note['failed']}; look at the scan"
        return Refused(source, reason, placed)
    return Prepared(
        source,
        path,
        file_digest,
        tuple(note["shape"]),
        tuple(note["record"]),
        _rows_of(note["affine"]) if "affine" in note else None,
        placed,
        note.get("derivation", derivation),
    )


def _rows_of(matrix: Sequence[Sequence[float]]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in matrix)


def _read(source: Source, chain: Chain, *, suv: bool) -> Read:
    """What a file or a series holds.

    Raises:
        DataError: it cannot be used.
    """
    if source.files:
        if chain.item != "volume":
            raise DataError(f"is a DICOM series; a chain of kind {chain.item} takes none")
        from mmmed.transforms.series import read

        return read(source.files, scale_free=chain.scale_free)
    if chain.item == "image":
        return Read(of_image(read_image(source.path)))
    return Read(of_volume(read_volume(source.path)), suv=suv)


def _space_of(source: Source) -> str | None:
    """The template space that a volume declares; a series never counts as declaring one."""
    return None if source.files else declared_space(source.path)


def _guide(source: Source) -> Guide:
    """The scan through which another one is registered.

    Raises:
        DataError: it cannot be used.
    """
    from mmmed.transforms.register import Guide

    if source.files:
        from mmmed.transforms.series import read

        raster = read(source.files, scale_free=True).raster
    else:
        raster = of_volume(read_volume(source.path))
    return Guide(raster, _space_of(source))


def _digest_of(source: Source) -> str:
    """The SHA-256 of a file; of a series, of those of its files in any order."""
    if not source.files:
        return _digest_of_file(source.path)
    return digest.of_value(sorted(_digest_of_file(path) for path in source.files))


def _check_unchanged(source: Source, file_digest: str) -> None:
    """Raise where the source was written to while it was read: its array has no name."""
    if _digest_of(source) != file_digest:
        raise DataError(f"{source.path}: changed while it was read; run again")


def _digest_of_file(path: Path) -> str:
    """The SHA-256 of a file, or of nothing where the reader will say what is wrong with it."""
    try:
        return digest.of_file(path) if path.is_file() else ""
    except OSError:
        return ""
