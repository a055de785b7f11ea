"""What an image item looked like before its chain: for people, never for a model."""

from __future__ import annotations

import numpy as np

from mmmed.errors import DataError
from mmmed.readers.image import read_image
from mmmed.readers.slide.kept import read_tile
from mmmed.transforms.prepared import Prepared


def picture(item: Prepared) -> np.ndarray:
    """The image or tile as it was read, (H, W, 3) uint8; grey stands in all three channels.

    Raises:
        DataError: the item is no image, or its file cannot be read.
    """
    if item.lazy is not None:
        return read_tile(item.source, state=item.lazy.state)
    if item.affine is not None or item.source.row is not None or item.source.files:
        raise DataError(f"{item.source.shown}: is no image, so there is no picture of it")
    return _bytes(read_image(item.source.path))


def _bytes(channels: np.ndarray) -> np.ndarray:
    """(C, H, W) in 0..1, C 1 or 3, as (H, W, 3) uint8."""
    colour = np.broadcast_to(channels, (3, *channels.shape[1:])).transpose(1, 2, 0)
    return np.ascontiguousarray((colour * 255).round().astype(np.uint8))
