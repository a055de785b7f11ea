"""The walk over plain files, and what pydicom is asked instead."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import slices
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from mmmed.errors import DataError
from mmmed.readers.dicom.elements import read_elements
from mmmed.readers.dicom.series import read_series

ROWS, SPACING = 0x00280010, 0x00280030


def nested(depth: int) -> Dataset:
    """Sequences within sequences, all of undefined length, as some archives write them."""
    inner = Dataset()
    inner.CodeValue = "deep"
    for _ in range(depth):
        outer = Dataset()
        outer.ConceptNameCodeSequence = [inner]
        outer["ConceptNameCodeSequence"].is_undefined_length = True
        inner.is_undefined_length_sequence_item = True
        inner = outer
    return inner


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_values_behind_sequences_of_undefined_length_are_found(tmp_path: Path, syntax: str) -> None:
    (one,) = slices.headers(slices.stored((1, 8, 10)))
    one.ReferencedImageSequence = [nested(5)]
    one["ReferencedImageSequence"].is_undefined_length = True
    one.add_new(0x00191001, "OB", bytes(1 << 20))
    (path,) = slices.save([one], tmp_path, syntax=syntax)
    read = read_elements(path, {ROWS, SPACING})
    assert read.whole(ROWS) == 8
    assert read.numbers(SPACING, count=2) == slices.SPACING
    assert path.read_bytes()[read.offset :] == one.PixelData


def test_tags_out_of_order_are_left_to_pydicom(tmp_path: Path) -> None:
    (path,) = slices.save(slices.headers(slices.stored((1, 8, 10))), tmp_path)
    whole = path.read_bytes()
    moved = whole.replace(b"\x28\0\x10\0US", b"\x08\0\x02\0US", 1)
    path.write_bytes(moved)
    read = read_elements(path, {ROWS, 0x00080002})
    assert read.whole(ROWS) is None
    assert read.whole(0x00080002) == 8
    assert read.length == dcmread(path).PixelData.__len__()


def test_a_file_of_zeros_is_no_dicom(tmp_path: Path) -> None:
    path = tmp_path / "zeros.dcm"
    path.write_bytes(np.zeros(4096, np.uint8).tobytes())
    with pytest.raises(DataError, match="is no DICOM file"):
        read_series([path])
