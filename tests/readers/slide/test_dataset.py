"""Sets of many slides as MONAI and torch take them."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from slides import island, write_tiff
from torch.utils.data import DataLoader

from mmmed.errors import NothingReadable
from mmmed.readers.slide.dataset import SlideSets

MPPS = {"x40": 0.25, "x20": 0.5, "x10": 1.0}
STAINED, GLASS = island(256, 320, (32, 32, 224, 288)), island(256, 320, (0, 0, 0, 0))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("slides")
    write_tiff(folder / "fine.tif", STAINED, mpp=0.25, factors=(1, 4))
    write_tiff(folder / "coarse.tif", STAINED, mpp=0.5, factors=(1, 2))
    write_tiff(folder / "unknown.tif", STAINED, mpp=None, factors=(1, 2))
    write_tiff(folder / "glass.tif", GLASS, mpp=0.5, factors=(1,))
    return folder


def sets(folder: Path, *names: str) -> SlideSets:
    paths = [folder / name for name in names]
    return SlideSets(paths, mpps=MPPS, pixels=32, most=4, seed=0, overrides={"unknown.tif": 0.5})


def test_workers_give_the_same_elements_as_the_process_itself(folder: Path) -> None:
    here = sets(folder, "fine.tif", "unknown.tif")
    loaded = [
        one
        for batch in DataLoader(here, batch_size=3, num_workers=2, collate_fn=list)
        for one in batch
    ]
    assert [one["location"] for one in loaded] == [one["location"] for one in here]
    for one, other in zip(loaded, here, strict=True):
        assert set(one) == set(other)
        np.testing.assert_array_equal(one["x10"], other["x10"])


def test_an_element_holds_what_its_slide_has(folder: Path) -> None:
    tiles = [set(one) & set(MPPS) for one in sets(folder, "fine.tif", "coarse.tif")]
    assert tiles == [{"x40", "x20", "x10"}] * 4 + [{"x20", "x10"}] * 4


def test_a_slide_that_cannot_be_used_is_told_and_the_rest_goes_on(folder: Path) -> None:
    found = sets(folder, "glass.tif", "absent.tif", "coarse.tif")
    assert {one["slide"] for one in found} == {str(folder / "coarse.tif")}
    assert "no tissue" in found.faults[folder / "glass.tif"]
    assert "is not there" in found.faults[folder / "absent.tif"]


def test_no_usable_slide_is_an_error(folder: Path) -> None:
    with pytest.raises(NothingReadable, match="no tissue"):
        sets(folder, "glass.tif")


def test_a_dataset_can_be_pickled_after_use(folder: Path) -> None:
    here = sets(folder, "fine.tif")
    first = here[0]
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(here))[0]["x40"], first["x40"])


def test_a_transform_is_applied_to_an_element(folder: Path) -> None:
    paths = [folder / "coarse.tif"]
    found = SlideSets(paths, mpps=MPPS, pixels=8, most=2, seed=0, transform=lambda one: set(one))
    assert {"x20", "location"} < found[0]
