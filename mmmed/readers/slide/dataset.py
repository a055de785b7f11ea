"""Multi-magnification sets of many slides as a MONAI dataset.

    sets = SlideSets(paths, mpps={"x40": 0.25, "x10": 1.0}, pixels=224, most=50, seed=0)
    DataLoader(sets, num_workers=4, collate_fn=list)

One element is the set of one location, read when it is asked for. What a slide has not is not in
it, so elements may differ in their keys. The dataset holds paths and points alone: it travels to
workers as it is, and each process opens its own slides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from monai.data.dataset import Dataset
from monai.transforms.transform import apply_transform

from mmmed.errors import NothingReadable, SlideError, join
from mmmed.readers.slide.kept import slide_of
from mmmed.readers.slide.sampling import locations
from mmmed.readers.slide.sets import tile_sets
from mmmed.readers.slide.slide import open_slide
from mmmed.readers.slide.tissue import tissue
from mmmed.readers.source import Source


class SlideSets(Dataset):
    """The sets of the sampled locations of slides.

    An element: `slide` (its path as text), `location` (x, y), `faults` (name -> why a tile cannot
    be read), and by name each tile, (3, pixels, pixels) float32 in 0..1.

    Attributes:
        faults: slide -> why it has no set.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        *,
        mpps: Mapping[str, float],
        pixels: int,
        most: int,
        seed: int,
        overrides: Mapping[str, float] = MappingProxyType({}),
        transform: Callable[[dict[str, Any]], Any] | None = None,
    ) -> None:
        """Look at every slide, find its tissue and sample it.

        Args:
            paths: slides, as `open_slide` takes them.
            mpps: name -> um per pixel of a tile.
            pixels: along a tile's side.
            most: locations per slide.
            seed: of their choice.
            overrides: name of a slide's file -> um per pixel, as `read_overrides` gives it.
            transform: of one element, random or not, as MONAI's datasets apply it.

        Raises:
            NothingReadable: no slide has a set; one line for each.
        """
        self.faults: dict[Path, str] = {}
        points: list[dict[str, Any]] = []
        for path in paths:
            mpp = overrides.get(path.name)
            try:
                with open_slide(path, mpp=mpp) as slide:
                    found = locations(
                        slide,
                        tissue(slide),
                        mpps=tuple(mpps.values()),
                        pixels=pixels,
                        most=most,
                        seed=seed,
                    )
            except SlideError as error:
                self.faults[path] = str(error)
                continue
            points += [{"slide": str(path), "mpp": mpp, "location": place} for place in found]
        if not points:
            raise NothingReadable(join(self.faults.values()) or "no slide is given; name some")
        super().__init__(points, transform)
        self._mpps = dict(mpps)
        self._pixels = pixels

    def _transform(self, index: int) -> Any:
        point = self.data[index]
        slide = slide_of(Source(path=Path(point["slide"]), mpp=point["mpp"]))
        (one,) = tile_sets(
            slide, [point["location"]], mpps=tuple(self._mpps.values()), pixels=self._pixels
        )
        element = {
            "slide": point["slide"],
            "location": one.location,
            "faults": {
                name: one.faults[mpp] for name, mpp in self._mpps.items() if mpp in one.faults
            },
            **{name: one.tiles[mpp] for name, mpp in self._mpps.items() if mpp in one.tiles},
        }
        return element if self.transform is None else apply_transform(self.transform, element)
