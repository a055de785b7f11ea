"""Images that are there twice: found by their pixels, each read once."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import slices

from mmmed.readers.dicom.classic import WANTED, read_frame
from mmmed.readers.dicom.duplicate import one_per_instance, one_per_place
from mmmed.readers.dicom.elements import read_elements
from mmmed.readers.dicom.frame import Frame


def crowd(folder: Path, count: int, *, distinct: int) -> list[Frame]:
    """Frames at one place, in one file; so many of them differ."""
    values = np.arange(count, dtype=np.uint16) % distinct
    header = slices.headers(np.zeros((1, 2, 2), np.uint16))[0]
    header.PixelData = np.repeat(values, 4).tobytes()
    (path,) = slices.save([header], folder)
    first = read_frame(read_elements(path, WANTED))
    stored = replace(first.stored, frames=count)
    return [
        replace(first, stored=stored, index=place, uid=f"1.2.{place}") for place in range(count)
    ]


def test_of_copies_at_one_place_the_first_stays(tmp_path: Path) -> None:
    frames = crowd(tmp_path, 10, distinct=3)
    assert [one.index for one in one_per_place(frames)] == [0, 1, 2]


@pytest.mark.parametrize("distinct", [3, 4000])
def test_very_many_frames_at_one_place_cost_what_each_costs(tmp_path: Path, distinct: int) -> None:
    """Eight million pairs; compared one by one they would take minutes."""
    frames = crowd(tmp_path, 4000, distinct=distinct)
    began = time.monotonic()
    assert len(one_per_place(frames)) == distinct
    assert time.monotonic() - began < 5


def test_a_number_is_the_same_in_any_kind_that_it_is_stored_as(tmp_path: Path) -> None:
    """The same values as signed, as unsigned and with 32 bits are one image; others are not."""
    pixels = slices.stored((1, 8, 10))
    plain, signed, wide, other = (
        slices.headers(array, SOPInstanceUID="1.2.3")[0]
        for array in (pixels, pixels.astype(np.int16), pixels, pixels + np.uint16(1))
    )
    wide.BitsAllocated, wide.BitsStored, wide.HighBit = 32, 32, 31
    wide.PixelData = pixels.astype(np.uint32).tobytes()
    paths = slices.save([plain, signed, wide, other], tmp_path)[::-1]
    frames = [read_frame(read_elements(path, WANTED)) for path in paths]
    assert one_per_instance(frames[:3]) == frames[:1]
    assert one_per_place(frames) == [frames[0], frames[3]]
