"""How a chain normalised the colours 0..1 of an image: value = item * sd + mean, per channel."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Colours:
    """How an item's channels stand for red, green and blue in 0..1.

    Attributes:
        mean: three figures that were subtracted.
        sd: three figures that were divided by.
    """

    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    sd: tuple[float, ...] = (1.0, 1.0, 1.0)

    def then(self, mean: tuple[float, ...], sd: tuple[float, ...]) -> Colours:
        """The colours after another mean was subtracted and another sd divided by."""
        return Colours(
            tuple(m + s * further for m, s, further in zip(self.mean, self.sd, mean, strict=True)),
            tuple(s * further for s, further in zip(self.sd, sd, strict=True)),
        )
