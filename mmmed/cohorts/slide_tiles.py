"""What whole slides hold of a cohort's magnifications, and what is to be said of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mmmed.cohorts.cohort import NEVER, Aside, Fault
from mmmed.cohorts.slide_folder import Found
from mmmed.cohorts.slide_table import Told
from mmmed.errors import DataError, SlideError
from mmmed.readers.slide.sampling import locations
from mmmed.readers.slide.slide import Slide, offers, open_slide
from mmmed.readers.slide.tile import Tile
from mmmed.readers.slide.tissue import tissue
from mmmed.readers.source import Source


@dataclass(frozen=True)
class Asked:
    """What is asked of each slide.

    Attributes:
        mpps: modality -> um per pixel.
        pixels: along the side of a tile.
        tiles: locations, at most.
        seed: of their choice.
    """

    mpps: Mapping[str, float]
    pixels: int
    tiles: int
    seed: int


@dataclass(frozen=True)
class Looked:
    """What one slide holds.

    Attributes:
        mpp: um per pixel of its finest level.
        key: of its content.
        sources: modality -> tiles, the first of each centred on one point, and so on.
    """

    mpp: float
    key: str
    sources: Mapping[str, tuple[Source, ...]]


def look(one: Found, asked: Asked, mpp: float | None) -> Looked | str:
    """What a slide holds, or in one line why it cannot be used."""
    try:
        with open_slide(one.path, mpp=mpp) as slide:
            return Looked(slide.mpp, slide.key, _sources(slide, one, asked, mpp))
    except DataError as error:
        text = str(error)
        return text.replace(str(one.path), one.where) if one.files else text


def _sources(
    slide: Slide, one: Found, asked: Asked, mpp: float | None
) -> dict[str, tuple[Source, ...]]:
    offered = {name: um for name, um in asked.mpps.items() if offers(slide, um)}
    if not offered:
        raise SlideError(
            f"{slide.path}: was scanned at {slide.mpp:g} um per pixel, coarser than all that is "
            "asked for; leave it out"
        )
    places = locations(
        slide,
        tissue(slide),
        mpps=list(offered.values()),
        pixels=asked.pixels,
        most=asked.tiles,
        seed=asked.seed,
    )
    return {
        name: tuple(
            Source(one.path, files=one.files, tile=Tile(x, y, um, asked.pixels), mpp=mpp)
            for x, y in places
        )
        for name, um in offered.items()
    }


def nobody(mpps: Mapping[str, float], looked: Collection[Looked]) -> Iterator[str]:
    """A sentence for every magnification that no slide has."""
    for name, um in mpps.items():
        if looked and not any(name in one.sources for one in looked):
            finest = min(one.mpp for one in looked)
            yield (
                f"{name}: no slide has {um:g} um per pixel, the finest was scanned at {finest:g}; "
                f"leave {name} out of a study"
            )


def asides(
    mpps: Mapping[str, float], told: Sequence[Told], looked: Mapping[str, Looked]
) -> Iterator[Aside]:
    """Why a case with slides lacks a magnification."""
    for case in told:
        mine = [looked[one] for one in case.slides if one in looked]
        for name, um in mpps.items():
            if mine and not any(name in one.sources for one in mine):
                finest = min(one.mpp for one in mine)
                reason = f"scanned at {finest:g} um per pixel, {name} is {um:g}"
                yield Aside(case.id, case.subject, None, name, NEVER, reason)


def twins(told: Sequence[Told], looked: Mapping[str, Looked]) -> Iterator[Fault]:
    """A fault for every slide whose content stands under another case before."""
    first: dict[str, tuple[str, str]] = {}
    for case in told:
        for one in case.slides:
            if one in looked:
                other, owner = first.setdefault(looked[one].key, (one, case.id))
                if owner != case.id:
                    reason = f"slide {one} is the same as {other} of {owner}"
                    yield Fault(case.id, None, f"{reason}; one of the two is wrongly filed")


def census(looked: Mapping[str, Looked], overrides: Iterable[str]) -> tuple[str, ...]:
    """How finely the slides were scanned, in a sentence."""
    counts = Counter(f"{one.mpp:.3g}" for one in looked.values())
    parts = [f"{number} at {mpp}" for mpp, number in sorted(counts.items())]
    tabled = sum(name in overrides for name in looked)
    beside = f"; {tabled} as the table says" if tabled else ""
    return (f"slides by um per pixel of their scan: {', '.join(parts)}{beside}",) if parts else ()
