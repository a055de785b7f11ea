"""A series of which some files cannot be used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import slices

from mmmed.errors import DataError
from mmmed.readers.dicom.series import Refusal, SeriesVolume, read_series, read_stacks


def cut(path: Path, length: int) -> Path:
    """The file without its end."""
    path.write_bytes(path.read_bytes()[:length])
    return path


def in_order(paths: list[Path]) -> list[Path]:
    return sorted(paths)


def test_a_file_cut_in_its_header_makes_its_series_unreadable_and_is_named(tmp_path: Path) -> None:
    """It may have been the first or last slice: no gap would show."""
    paths = in_order(slices.save(slices.headers(slices.stored()), tmp_path))
    cut(paths[5], 600)
    with pytest.raises(DataError, match=r"slice-005\.dcm: .*\(files that cannot be used: 1 of 6"):
        read_series(paths)


@pytest.mark.parametrize("length", [0, 200, 600, -50])
def test_one_cut_file_costs_its_own_stack_alone(tmp_path: Path, length: int) -> None:
    pixels = [slices.stored(seed=1), slices.stored(seed=2)]
    paths = in_order(slices.save(slices.echoes(pixels), tmp_path))
    cut(paths[9], length)
    good, bad = read_stacks(paths)
    assert isinstance(good, SeriesVolume)
    assert isinstance(bad, Refusal)
    np.testing.assert_array_equal(good.volume.data[::-1, ::-1].transpose(2, 1, 0), pixels[0])
    assert "slice-009.dcm" in bad.reason
    assert "slice-009.dcm" in read_series(paths)[0].notes[-1]


def test_more_broken_files_than_missing_slices_leave_no_stack_whole(tmp_path: Path) -> None:
    series = slices.echoes([slices.stored(seed=1), slices.stored(seed=2)])
    paths = in_order(slices.save(series, tmp_path))
    stray = tmp_path / "stray.dcm"
    stray.write_bytes(paths[0].read_bytes()[:600])
    with pytest.raises(DataError, match=r"stray\.dcm"):
        read_series([*paths, stray])


def test_of_a_whole_file_and_a_cut_copy_of_it_the_whole_one_counts(tmp_path: Path) -> None:
    pixels = slices.stored()
    paths = in_order(slices.save(slices.headers(pixels), tmp_path))
    copy = tmp_path / "0 copy.dcm"
    copy.write_bytes(paths[2].read_bytes()[:-50])
    (read,) = read_series([copy, *paths])
    assert read.notes == ("1 duplicates left out",)
    np.testing.assert_array_equal(read.volume.data[::-1, ::-1].transpose(2, 1, 0), pixels)
