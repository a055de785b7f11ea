"""What a slide shows where it holds nothing or is transparent."""

import numpy as np
import pytest

from mmmed.readers.slide.colour import WHITE, background, opaque


def test_what_is_transparent_shows_the_background() -> None:
    stored = np.zeros((1, 3, 4), np.uint8)
    stored[0] = [(200, 100, 50, 255), (200, 100, 50, 0), (200, 100, 50, 51)]
    shown = opaque(stored, (250, 240, 230))
    # a fifth of the colour and four fifths of what is behind
    assert shown[0, :, :3].tolist() == [[200, 100, 50], [250, 240, 230], [240, 212, 194]]
    assert (shown[..., 3] == 255).all()


@pytest.mark.parametrize(
    ("stated", "colour"),
    [(None, WHITE), ("F0EEdd", (240, 238, 221)), ("no colour", WHITE), ("FFF", WHITE)],
)
def test_the_background_is_the_files_or_white(
    stated: str | None, colour: tuple[int, int, int]
) -> None:
    properties = {} if stated is None else {"openslide.background-color": stated}
    assert background(properties) == colour
