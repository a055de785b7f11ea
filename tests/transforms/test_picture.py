"""The picture of an item, against Pillow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmmed.errors import DataError
from mmmed.readers.source import Source
from mmmed.transforms.chain import Chain
from mmmed.transforms.picture import picture
from mmmed.transforms.prepare import prepare
from mmmed.transforms.prepared import Prepared

CHAIN = Chain.model_validate(
    {
        "item": "image",
        "prepare": [
            {"kind": "colour", "to": "rgb"},
            {"kind": "resize", "shape": [4, 4]},
            {"kind": "normalise", "mean": [0.5] * 3, "sd": [0.25] * 3},
        ],
    }
)


def of(path: Path, cache: Path) -> Prepared:
    (found,) = prepare([Source(path)], CHAIN, kind="image", cache=cache)
    assert isinstance(found, Prepared)
    return found


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_the_picture_is_the_file_before_its_chain_in_colour(tmp_path: Path, mode: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)
    image = Image.fromarray(pixels).convert(mode)
    image.save(tmp_path / "a.png")
    found = picture(of(tmp_path / "a.png", tmp_path / "kept"))
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, np.asarray(image.convert("RGB")))


def test_what_is_no_image_has_no_picture(tmp_path: Path) -> None:
    row = Prepared(Source(tmp_path / "t.csv", row="1", columns=("a",)), None, "0", (1,))
    with pytest.raises(DataError, match=r"t\.csv: is no image"):
        picture(row)
