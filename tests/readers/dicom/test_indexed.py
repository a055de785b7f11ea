"""The facts of an indexed series, for which few headers are read a second time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import slices
from study import slice_of, write, write_series

from mmmed.readers.dicom.description import describe
from mmmed.readers.dicom.elements import read_data_set
from mmmed.readers.dicom.facts import SeriesFacts
from mmmed.readers.dicom.index import Series, read_index
from mmmed.readers.dicom.indexed import facts_of


def whole(series: Series) -> SeriesFacts:
    """The facts by every header."""
    return describe([read_data_set(path) for path in series.paths])


def only(folder: Path) -> Series:
    (found,) = read_index(folder).series
    return found


def test_slices_of_one_kind_are_not_opened_again(tmp_path: Path) -> None:
    paths = write_series(tmp_path, 6)
    series = only(tmp_path)
    expected = whole(series)
    for path in paths[1:]:
        path.unlink()
    assert facts_of(series) == expected
    assert (expected.slices, expected.images, expected.step_mm) == (6, 6, 2.0)


def test_a_slice_of_another_kind_is_looked_at_too(tmp_path: Path) -> None:
    write_series(tmp_path, 5)
    write(slice_of(6, ImageType=["DERIVED", "SECONDARY"], EchoTime=1.5), tmp_path / "other")
    found = facts_of(only(tmp_path))
    assert found.image_type == ("ORIGINAL", "PRIMARY", "M", "DERIVED", "SECONDARY")
    assert found.echo_ms == 1.5


def test_positions_keep_their_digits(tmp_path: Path) -> None:
    """Oblique slices whose gaps are no short numbers."""
    tilted = (1.0, 0.0, 0.0, 0.0, 0.8, 0.6)
    slices.save(slices.headers(slices.stored(), orientation=tilted, step=1 / 3), tmp_path)
    series = only(tmp_path)
    assert facts_of(series) == whole(series)
    np.testing.assert_allclose(facts_of(series).step_mm, 1 / 3, atol=1e-6)


@pytest.mark.shared
@pytest.mark.parametrize(
    "folder", ["pet-mr-ct-sts", "mr-multivendor-small", "mr-siemens-nih", "mr-enhanced"]
)
def test_facts_of_real_series_are_those_of_all_their_headers(data: Path, folder: str) -> None:
    for one in read_index(data / folder).series:
        assert facts_of(one) == replace(whole(one), description=one.description)
