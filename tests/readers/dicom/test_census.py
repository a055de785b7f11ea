"""What a series says of its own number, held against what is there."""

from __future__ import annotations

from pathlib import Path

import enhanced
import numpy as np
import pytest
import slices
from pydicom.dataset import FileDataset
from pydicom.uid import PositronEmissionTomographyImageStorage

from mmmed.errors import SeriesError
from mmmed.readers.dicom.series import read_series

PET = {"Modality": "PT", "SOPClassUID": PositronEmissionTomographyImageStorage}


def notes(series: list[FileDataset], folder: Path) -> tuple[str, ...]:
    (read,) = read_series(slices.save(series, folder))
    return read.notes


@pytest.mark.parametrize("left", [slice(0, 4), slice(2, 6), slice(0, 2)])
def test_a_pet_that_lacks_its_first_or_last_slices_is_refused_with_counts(
    tmp_path: Path, left: slice
) -> None:
    """There is no gap: NumberOfSlices, which every PET states, is the only witness."""
    series = slices.headers(slices.stored(), NumberOfSlices=6, **PET)[left]
    with pytest.raises(SeriesError, match=rf"^{len(series)} of the 6 slices") as caught:
        read_series(slices.save(series, tmp_path))
    assert "NumberOfSlices (0054,0081)" in str(caught.value)


def test_one_slice_of_a_pet_alone_is_read_as_such_with_a_note(tmp_path: Path) -> None:
    series = slices.headers(slices.stored(), NumberOfSlices=6, **PET)[2:3]
    assert "NumberOfSlices (0054,0081) states 6 slices, 1 are here" in notes(series, tmp_path)


def test_a_whole_pet_and_one_that_has_more_slices_than_it_states_are_read(tmp_path: Path) -> None:
    for stated in (6, 3):
        series = slices.headers(slices.stored(), NumberOfSlices=stated, **PET)
        assert notes(series, tmp_path / str(stated)) == ()


def test_every_volume_of_a_dynamic_pet_must_have_its_slices_and_lost_volumes_are_noted(
    tmp_path: Path,
) -> None:
    series = [
        header
        for time in (1, 2)
        for header in slices.headers(
            slices.stored(seed=time),
            NumberOfSlices=6,
            NumberOfTimeSlices=3,
            SeriesType=["DYNAMIC", "IMAGE"],
            FrameReferenceTime=1000 * time,
            SeriesInstanceUID="1.2.3",
            FrameOfReferenceUID="1.2.4",
            **PET,
        )
    ]
    found = read_series(slices.save(series, tmp_path))
    said = "the number of time slices, intervals and slots states 3 volumes, 2 are here"
    assert [one.notes for one in found] == [(said,), (said,)]


def test_volumes_that_a_static_pet_states_are_none(tmp_path: Path) -> None:
    """Real ones state something else there."""
    said = {"NumberOfTimeSlices": 6, "SeriesType": ["STATIC", "IMAGE"], "NumberOfSlices": 6}
    assert notes(slices.headers(slices.stored(), **said, **PET), tmp_path) == ()


@pytest.mark.parametrize(
    ("keyword", "said"),
    [
        ("ImagesInAcquisition", "ImagesInAcquisition (0020,1002) states 7 images, 6 are here"),
        (
            "NumberOfTemporalPositions",
            "NumberOfTemporalPositions (0020,0105) states 7 volumes, 1 are here",
        ),
    ],
)
def test_a_number_that_need_not_be_stated_is_a_note(
    tmp_path: Path, keyword: str, said: str
) -> None:
    assert notes(slices.headers(slices.stored(), **{keyword: "7"}), tmp_path) == (said,)


@pytest.mark.parametrize(
    ("creator", "group", "element", "kind", "said"),
    [
        ("GEMS_RELA_01", 0x21, 0x4F, "SS", "LocationsInAcquisition of GE states 9 slices"),
        ("Philips Imaging DD 001", 0x2001, 0x18, "SL", "NumberOfSlicesMR of Philips states 9"),
    ],
)
def test_the_number_of_slices_that_a_vendor_states_is_a_note(
    tmp_path: Path, creator: str, group: int, element: int, kind: str, said: str
) -> None:
    series = slices.headers(slices.stored())
    for header in series:
        header.private_block(group, creator, create=True).add_new(element, kind, 9)
    (note,) = notes(series, tmp_path)
    assert note.startswith(said)


def test_an_enhanced_image_in_two_files_is_one_volume_and_none_where_a_part_is_lost(
    tmp_path: Path,
) -> None:
    pixels, frames = slices.stored(), enhanced.stack()
    parts = [
        enhanced.image(
            pixels[part],
            frames[part],
            ConcatenationUID="1.2.9",
            InConcatenationNumber=number,
            InConcatenationTotalNumber=2,
            SeriesInstanceUID="1.2.3",
            FrameOfReferenceUID="1.2.4",
        )
        for number, part in ((1, slice(0, 4)), (2, slice(4, 6)))
    ]
    (read,) = read_series(slices.save(parts, tmp_path / "both"))
    np.testing.assert_array_equal(read.volume.data[::-1, ::-1].transpose(2, 1, 0), pixels)
    with pytest.raises(SeriesError, match=r"^1 of the 2 parts of an enhanced image"):
        read_series(slices.save(parts[:1], tmp_path / "one"))


def test_slices_that_have_lost_their_positions_are_no_volumes_of_one_slice(tmp_path: Path) -> None:
    """All at the origin, as some programs leave them; SliceLocation still tells."""
    series = slices.headers(slices.stored())
    for place, header in enumerate(series):
        header.ImagePositionPatient = [0, 0, 0]
        header.SliceLocation = f"{3 * place}"
    with pytest.raises(SeriesError, match=r"SliceLocation .* goes from 0 to 15 mm"):
        read_series(slices.save(series, tmp_path))


def test_frames_of_one_slice_whose_location_is_rounded_otherwise_are_no_loss(
    tmp_path: Path,
) -> None:
    series = slices.headers(slices.stored())
    for place, header in enumerate(series):
        header.ImagePositionPatient = [0, 0, 0]
        header.SliceLocation = f"{12.34 + 0.001 * place}"[:9]
        header.TriggerTime = f"{40 * place}"
    assert len(read_series(slices.save(series, tmp_path))) == 6
