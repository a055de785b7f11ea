"""Poison is made, and tried before it is used.

It must pass preparation, else what a case owns would change; noise of a chain that registers is
therefore milder. What no noise can be made of, as a tile of a slide, is swapped alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from mmmed.errors import DataError
from mmmed.pipelines.verify_mask.noise import (
    NOISES,
    Noise,
    write_image,
    write_series,
    write_volume,
)
from mmmed.pipelines.verify_mask.poison import (
    Item,
    Kitchen,
    Poison,
    Poisons,
    Variant,
    array_digest,
    changes,
)
from mmmed.pipelines.verify_mask.shadow import Shadow, cast
from mmmed.readers.sidecar import sidecar_path
from mmmed.readers.source import Source
from mmmed.record import digest
from mmmed.training.randomness import key
from mmmed.transforms.prepare import load, prepare
from mmmed.transforms.prepared import Prepared, Refused

SEED = 0
"""Of the noise; any other would do."""

Writer = Callable[[str, Sequence[Path], Sequence[Path]], None]


def make(kitchen: Kitchen, wanted: Sequence[Item], variant: Variant) -> Poisons:
    """Poison for as many of these scans as can be had."""
    if variant == "swap":
        return _vetted(kitchen, _swaps(kitchen, wanted), "swap")
    found: dict[Item, Poison] = {}
    for noise in NOISES:
        waiting = [item for item in wanted if item not in found]
        found |= _vetted(kitchen, _noises(kitchen, waiting, noise), noise)
    return found


def _noises(kitchen: Kitchen, wanted: Sequence[Item], noise: Noise) -> dict[Item, Poison]:
    found: dict[Item, Poison] = {}
    ranges: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    place = kitchen.scratch / noise
    for number, (modality, source) in enumerate(wanted, start=1):
        random = np.random.default_rng(key(SEED, "noise", modality, _name(kitchen, source)))
        if kitchen.kind(modality) == "vector":
            least, greatest = ranges.setdefault(modality, _range(kitchen, modality))
            drawn = random.uniform(least, greatest).astype(np.float32)
            found[modality, source] = Poison(noise, vector=tuple(map(float, drawn)))
        elif source.tile is None:
            made = _noise_files(kitchen, (modality, source), place, _writer(noise, random))
            if made is not None:
                found[modality, source] = made
        kitchen.report("noise", number, len(wanted))
    return found


def _writer(noise: Noise, random: np.random.Generator) -> Writer:
    """Writes noise for the files of an item of a kind."""

    def write(kind: str, files: Sequence[Path], targets: Sequence[Path]) -> None:
        if len(files) > 1 or kind == "series":
            write_series(files, targets, noise=noise, random=random)
        elif kind == "volume":
            write_volume(files[0], targets[0], noise=noise, random=random)
        else:
            write_image(files[0], targets[0], noise=noise, random=random)

    return write


def _noise_files(kitchen: Kitchen, item: Item, place: Path, write: Writer) -> Poison | None:
    """Files of noise; None where a file holds nothing that noise can be put in."""
    modality, source = item
    files = source.files or (source.path,)
    targets = [place / _name(kitchen, source, path) for path in files]
    for target in targets:
        target.parent.mkdir(parents=True, exist_ok=True)
    try:
        write("series" if source.files else kitchen.kind(modality), files, targets)
    except DataError:
        return None
    return _of_files(kitchen, source, dict(zip(files, targets, strict=True)), how=place.name)


def _of_files(kitchen: Kitchen, source: Source, files: Mapping[Path, Path], *, how: str) -> Poison:
    """Poison by files; what lies outside the cohort's folder is exchanged in the cohort itself."""
    if source.path.is_relative_to(kitchen.root):
        return Poison(how, files=files)
    (path,) = files
    target = kitchen.scratch / "outside" / how / _name(kitchen, source)
    target.parent.mkdir(parents=True, exist_ok=True)
    for link, file in ((target, files[path]), (sidecar_path(target), sidecar_path(path))):
        link.unlink(missing_ok=True)
        if file.is_file():
            link.symlink_to(file.absolute())
    return Poison(how, stand_in=replace(source, path=target))


def _swaps(kitchen: Kitchen, wanted: Sequence[Item]) -> dict[Item, Poison]:
    """Another case's scan in each one's place; not for a series, whose headers are its own."""
    donors = _donors(kitchen)
    found: dict[Item, Poison] = {}
    for item in wanted:
        modality, source = item
        other = _donor(kitchen, item, donors[modality])
        if other is None or source.files:
            continue
        if kitchen.kind(modality) == "vector":
            found[item] = Poison("swap", vector=tuple(map(float, load(other))))
        elif source.tile is not None:
            found[item] = Poison("swap", stand_in=other.source)
        elif other.source.path.suffixes == source.path.suffixes:
            found[item] = _of_files(kitchen, source, {source.path: other.source.path}, how="swap")
    return found


def _donors(kitchen: Kitchen) -> Mapping[str, list[tuple[str, Prepared]]]:
    """Modality -> every case with each of its items."""
    found: dict[str, list[tuple[str, Prepared]]] = defaultdict(list)
    for case, mine in kitchen.stocked.shelf.items.items():
        for modality, items in mine.items():
            found[modality] += [(case, one) for one in items]
    return found


def _donor(kitchen: Kitchen, item: Item, donors: Sequence[tuple[str, Prepared]]) -> Prepared | None:
    """Another subject's item with other content, of another class where one is found."""
    shelf = kitchen.stocked.shelf
    place = next(number for number, (_, one) in enumerate(donors) if one.source == item[1])
    case, own = donors[place]
    second: Prepared | None = None
    for other, one in (*donors[place + 1 :], *donors[:place]):
        if shelf.subject[other] == shelf.subject[case] or one.identity == own.identity:
            continue
        if shelf.label[other] != shelf.label[case]:
            return one
        second = second or one
    return second


def _vetted(kitchen: Kitchen, poisons: Poisons, name: str) -> dict[Item, Poison]:
    """The poison that preparation takes; of scans in place of others, those that differ."""
    shadow = Shadow(kitchen.root, kitchen.scratch / f"tried-{name}")
    cast(shadow, changes(poisons, poisons))
    own = {
        (modality, one.source): one
        for mine in kitchen.stocked.shelf.items.values()
        for modality, items in mine.items()
        for one in items
    }
    found: dict[Item, Poison] = {}
    for modality, chain in kitchen.chains.items():
        mine = [item for item in poisons if item[0] == modality]
        tried = prepare(
            [poisons[item].stand_in or shadow.source(item[1]) for item in mine],
            chain,
            kind=kitchen.stocked.cohort.kinds[modality],
            cache=kitchen.cache,
            jobs=kitchen.jobs,
            progress=partial(kitchen.report, f"prepare {name} of {modality}"),
        )
        for item, outcome in zip(mine, tried, strict=True):
            if isinstance(outcome, Refused) or outcome.shape != own[item].shape:
                continue
            # noise that prepares to the scan itself is no failure of noise: it is told later
            if name != "swap" or array_digest(outcome) != array_digest(own[item]):
                found[item] = poisons[item]
    return found


def _range(kitchen: Kitchen, modality: str) -> tuple[np.ndarray, np.ndarray]:
    """The least and the greatest value of each column, apart where all are the same."""
    vectors = np.stack(
        [
            load(one)
            for mine in kitchen.stocked.shelf.items.values()
            for one in mine.get(modality, ())
        ]
    )
    least, greatest = vectors.min(axis=0), vectors.max(axis=0)
    return least, np.where(greatest > least, greatest, least + 1)


def _name(kitchen: Kitchen, source: Source, path: Path | None = None) -> str:
    """The name of a file below the cohort's folder; of one outside it, its digest and name."""
    named = path or source.path
    if named.is_relative_to(kitchen.root):
        return named.relative_to(kitchen.root).as_posix()
    return f"{digest.of_value(str(named))[:16]}/{named.name}"
