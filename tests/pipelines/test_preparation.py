from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from heads import save_pair
from PIL import Image

from mmmed.cohorts.bids import BidsCohort, read_bids
from mmmed.cohorts.label import Label
from mmmed.cohorts.table import TableCohort, TableFiles, read_table_cohort
from mmmed.cohorts.views import View, ViewsCohort, read_views
from mmmed.errors import DataError
from mmmed.modality import Pattern
from mmmed.pipelines.preparation import Stocked, stock
from mmmed.transforms.chain import Chain


def vectors(root: Path) -> Stocked:
    for name, width in (("one", 3), ("two", 2)):
        table = np.random.default_rng(width).normal(size=(4, width)).round(3)
        lines = [",".join([*map(str, row), str(place % 2)]) for place, row in enumerate(table)]
        header = ",".join([*map(str, range(width)), "label"])
        (root / f"{name}.csv").write_text("\n".join([header, *lines]) + "\n")
    spec = ViewsCohort(
        kind="views",
        root=root,
        modalities={name: View(kind="vector", file=Path(f"{name}.csv")) for name in ("one", "two")},
        label=Label(column="last", classes=("0", "1")),
    )
    chains = {name: Chain(item="vector") for name in spec.modalities}
    return stock(
        read_views(spec, "small"), chains, cache=root / "cache", jobs=1, report=lambda *_: None
    )


def test_the_inputs_of_vectors_are_the_digests_of_their_whole_tables(tmp_path: Path) -> None:
    assert vectors(tmp_path).inputs == {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (tmp_path / "one.csv", tmp_path / "two.csv")
    }


def test_the_inputs_of_volumes_are_the_digests_of_files_sidecars_and_tables(
    sound: Path, tmp_path: Path
) -> None:
    spec = BidsCohort.model_validate(
        {
            "kind": "bids",
            "root": sound,
            "modalities": {"mri": {"kind": "volume", "datatype": "anat", "suffix": "T1w"}},
            "label": {"column": "diagnosis", "classes": ["CN", "AD"]},
        }
    )
    chains = {"mri": Chain(item="volume")}
    found = stock(
        read_bids(spec, "small"), chains, cache=tmp_path, jobs=1, report=lambda *_: None
    ).inputs
    files = [*sound.glob("sub-*/**/*_T1w.*"), sound / "participants.tsv"]
    assert found == {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def photos(root: Path, *shapes: tuple[int, ...]) -> Stocked:
    """One photo per case, as it is."""
    lines = []
    for place, shape in enumerate(shapes):
        Image.fromarray(np.full(shape, place, dtype=np.uint8)).save(root / f"{place}.png")
        lines.append(f"case-{place}\t{place}.png\n")
    (root / "cases.tsv").write_text("case_id\tphoto\n" + "".join(lines))
    spec = TableCohort.model_validate(
        {
            "kind": "table",
            "root": root,
            "table": "cases.tsv",
            "modalities": {"photo": {"kind": "image", "columns": ["photo"]}},
        }
    )
    return stock(
        read_table_cohort(spec, "small"),
        {"photo": Chain(item="image")},
        cache=root / "cache",
        jobs=1,
        report=lambda *_: None,
    )


def test_the_inputs_of_images_are_the_digests_of_files_and_table(tmp_path: Path) -> None:
    found = photos(tmp_path, (4, 4, 3), (4, 4, 3)).inputs
    files = [*tmp_path.glob("*.png"), tmp_path / "cases.tsv"]
    assert found == {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_what_lies_beside_an_image_is_no_input(tmp_path: Path) -> None:
    (tmp_path / "0.json").write_text("{}")
    assert str(tmp_path / "0.json") not in photos(tmp_path, (4, 4, 3)).inputs


@pytest.mark.parametrize(
    ("odd", "is_now", "advice"),
    [
        ((4, 4), r"\(1, 4, 4\)", "begin the chain with `colour`"),
        ((4, 5, 3), r"\(3, 4, 5\)", "end the chain with a step that gives all one shape"),
    ],
)
def test_the_item_unlike_the_others_is_named_with_what_to_do(
    tmp_path: Path, odd: tuple[int, ...], is_now: str, advice: str
) -> None:
    words = rf"small: photo: .*0\.png is {is_now} after preparation, 2 of 3 items are \(3, 4, 4\)"
    with pytest.raises(DataError, match=f"{words}; {advice}"):
        photos(tmp_path, odd, (4, 4, 3), (4, 4, 3))


def heads(root: Path) -> Stocked:
    """MRI and PET of a folder, PETs through the MRI where there is one."""
    volume = {"kind": "volume"}
    modalities = {
        "mri": {**volume, "datatype": "anat", "suffix": "T1w"},
        "pet": {**volume, "datatype": "pet", "suffix": "pet"},
    }
    spec = BidsCohort.model_validate({"kind": "bids", "root": root, "modalities": modalities})
    grid = {"kind": "to-template", "voxel_mm": 8.0}
    pet = {"kind": "register", "template": "pet", "through": "mri"}
    chains = {
        "mri": Chain.model_validate({"item": "volume", "prepare": [{"kind": "register"}, grid]}),
        "pet": Chain.model_validate({"item": "volume", "prepare": [pet, grid]}),
    }
    cohort = read_bids(spec, "heads")
    return stock(cohort, chains, cache=root / "cache", jobs=1, report=lambda *_: None)


def test_a_hidden_mri_had_no_part_in_the_pet_that_was_registered_through_it(
    tmp_path: Path,
) -> None:
    """The bits of a hidden guide's PET are those of a folder that never held the guide."""
    save_pair(tmp_path / "with", "sub-1")
    save_pair(tmp_path / "without", "sub-1", mri=False)
    save_pair(tmp_path / "without", "sub-2")
    shelf, bare = heads(tmp_path / "with").shelf, heads(tmp_path / "without").shelf
    alone = Pattern.parse("pet")
    expected = bare.set("sub-1", alone).items["pet"][0].numpy()
    hidden = shelf.set("sub-1", alone).items["pet"][0].numpy()
    guided = shelf.set("sub-1", Pattern.parse("mri+pet")).items["pet"][0].numpy()
    np.testing.assert_array_equal(hidden, expected)
    assert not np.array_equal(guided, expected)


def of_one_picture(root: Path, **shapes: int) -> Stocked:
    """Four cases of a picture each, an item of several modalities with a size of its own each."""
    for number in range(4):
        pixels = np.random.default_rng(number).integers(0, 255, (8, 8, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(root / f"{number}.png")
    lines = [f"{number},{number}.png,{number % 2}" for number in range(4)]
    (root / "cases.csv").write_text("\n".join(["case_id,photo,label", *lines, ""]))
    spec = TableCohort(
        kind="table",
        root=root,
        table=Path("cases.csv"),
        modalities={name: TableFiles(kind="image", columns=("photo",)) for name in shapes},
        label=Label(column="label", classes=("0", "1")),
    )
    chains = {
        name: Chain.model_validate(
            {"item": "image", "prepare": [{"kind": "resize", "shape": [size, size]}]}
        )
        for name, size in shapes.items()
    }
    read = read_table_cohort(spec, "small")
    return stock(read, chains, cache=root / "cache", jobs=1, report=lambda *_: None)


def test_one_file_under_two_modalities_is_prepared_for_each(tmp_path: Path) -> None:
    shelf = of_one_picture(tmp_path, big=8, small=4).shelf
    shown = shelf.set("0", Pattern.parse("big+small"))
    assert {name: items[0].shape for name, items in shown.items.items()} == {
        "big": (3, 8, 8),
        "small": (3, 4, 4),
    }


def test_the_data_of_a_job_are_other_data_where_they_are_prepared_otherwise(tmp_path: Path) -> None:
    assert of_one_picture(tmp_path, photo=4).digest != of_one_picture(tmp_path, photo=8).digest
    assert of_one_picture(tmp_path, photo=4).digest == of_one_picture(tmp_path, photo=4).digest
