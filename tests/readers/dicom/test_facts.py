"""What a series covers, from its facts."""

from __future__ import annotations

import pytest

from mmmed.readers.dicom.facts import SeriesFacts


def _facts(normal: tuple[float, float, float]) -> SeriesFacts:
    return SeriesFacts(
        study="1.2",
        uid="1.2.3",
        slices=160,
        rows=256,
        columns=200,
        pixel_mm=(1.0, 1.25),
        step_mm=1.1,
        normal=normal,
    )


def test_the_extent_is_voxels_times_their_edges() -> None:
    assert _facts((1, 0, 0)).extent_mm == pytest.approx((256, 250, 176))
    assert _facts((1, 0, 0)).voxel_mm == (1.0, 1.25, 1.1)


def test_head_to_foot_is_along_the_slices_of_an_axial_series_and_in_the_plane_of_a_sagittal() -> (
    None
):
    assert _facts((0, 0, 1)).head_to_foot_mm == pytest.approx(176)
    assert _facts((1, 0, 0)).head_to_foot_mm == pytest.approx(250)


def test_what_the_headers_do_not_state_is_not_guessed() -> None:
    bare = SeriesFacts(study="1.2", uid="1.2.3")
    assert (bare.extent_mm, bare.voxel_mm, bare.head_to_foot_mm) == (None, None, None)
