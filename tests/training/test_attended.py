"""Which cases are shown, and the pictures of their most attended items."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mmmed.modality import Modality
from mmmed.readers.source import Source
from mmmed.record import table
from mmmed.training.attended import EACH, ITEMS, SIDE, surest, thumbnail, write
from mmmed.training.shelf import Shelf
from mmmed.transforms.prepared import Prepared


def predicted(case: str, label: str | None, decision: str, chance: float, **more: Any) -> Any:
    return {
        "case_id": case,
        "label": label,
        "decision": decision,
        "p_benign": chance if decision == "benign" else 1 - chance,
        "p_malignant": chance if decision == "malignant" else 1 - chance,
        "owned": "x40",
        "pattern": "x40",
        **more,
    }


def test_the_surest_right_cases_come_first_then_the_surest_wrong() -> None:
    right = [predicted(f"r{i}", "benign", "benign", 0.9 - i / 100) for i in range(EACH + 2)]
    wrong = [predicted(f"w{i}", "benign", "malignant", 0.7 + i / 100) for i in range(2)]
    hidden = predicted("h", "benign", "benign", 0.99, owned="x40+x100")
    unknown = predicted("u", None, "benign", 0.99)
    rows = surest([*wrong, hidden, unknown, *reversed(right), right[0]])
    assert [row["case_id"] for row in rows] == ["r0", "r1", "r2", "w1", "w0"]


def test_a_picture_is_small_and_keeps_its_proportions() -> None:
    image = Image.open(io.BytesIO(thumbnail(np.zeros((1000, 2000, 3), np.uint8))))
    assert image.size == (SIDE, SIDE // 2)


def prepared(path: Path, modality: str) -> Prepared:
    affine = tuple(map(tuple, np.eye(4))) if modality == "mri" else None
    return Prepared(Source(path), None, "", (1, 2, 2), affine=affine)


def test_the_most_attended_images_are_drawn_and_volumes_are_told(tmp_path: Path) -> None:
    paths = [tmp_path / f"image-{i}.png" for i in range(ITEMS + 2)]
    for value, path in enumerate(paths):
        Image.new("RGB", (20, 10), (10 * value, 0, 0)).save(path)
    items = {
        "x40": tuple(prepared(path, "x40") for path in paths),
        "mri": (prepared(tmp_path / "mri.nii.gz", "mri"),),
    }
    shelf = Shelf((Modality("x40", "image", (3, 10, 20)),), {"a": items}, {"a": 0}, {"a": "a"})
    order = [("mri", 1), *(("x40", number) for number in range(len(paths), 0, -1))]
    attention = [
        {
            "case_id": "a", "method": "m", "fold": "f", "seed": 0, "rank": rank, "modality": name,
            "item": item, "source": items[name][item - 1].source.shown, "weight": 1 / 2**rank,
        }
        for rank, (name, item) in enumerate(order, start=1)
    ]  # fmt: skip
    write(tmp_path / "out", shelf, [predicted("a", "benign", "benign", 0.9)], attention[::-1])
    rows = table.read(tmp_path / "out" / "attended.tsv", table.ATTENDED)
    assert [row["rank"] for row in rows] == [str(rank) for rank in range(1, ITEMS + 1)]
    assert [row["picture"] for row in rows[:2]] == ["n/a", "attended/0001-2.jpg"]
    first = Image.open(tmp_path / "out" / rows[1]["picture"]).getpixel((5, 5))
    assert abs(first[0] - 10 * (len(paths) - 1)) < 6
    assert len(list((tmp_path / "out" / "attended").iterdir())) == ITEMS - 1
