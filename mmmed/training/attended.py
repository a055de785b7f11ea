"""`attended.tsv` and `attended/`: the most attended items of a few cases, as small pictures.

Only images have pictures; other items stand in the table with their weight alone. No name of a
picture tells whose it is.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
from PIL import Image

from mmmed.errors import DataError
from mmmed.record import atomic, table
from mmmed.record.table import Cell
from mmmed.training.shelf import Shelf
from mmmed.transforms.picture import picture
from mmmed.transforms.prepared import Prepared

NAME, FOLDER = "attended.tsv", "attended"
EACH = 3
"""Cases that are shown of those decided rightly, and of those decided wrongly."""
ITEMS = 6
"""Items that are shown of a case."""
SIDE = 160
"""Pixels of a picture's longer side at most."""
QUALITY = 85


def surest(predictions: Iterable[Mapping[str, Cell]]) -> list[Mapping[str, Cell]]:
    """The rows of a few cases under all they own: the surest right ones, then the surest wrong."""
    whole = {str(row["case_id"]): row for row in predictions if row["pattern"] == row["owned"]}
    known = [row for row in whole.values() if row["label"] not in (None, table.MISSING)]
    known.sort(key=lambda row: (-probability(row), str(row["case_id"])))
    right = [row for row in known if row["label"] == row["decision"]]
    wrong = [row for row in known if row["label"] != row["decision"]]
    return [*right[:EACH], *wrong[:EACH]]


def probability(row: Mapping[str, Cell]) -> float:
    """Of the class that was decided for."""
    return float(str(row[f"p_{row['decision']}"]))


def write(
    out: Path,
    shelf: Shelf,
    predictions: Sequence[Mapping[str, Cell]],
    attention: Iterable[Mapping[str, Cell]],
) -> None:
    """Write the table and the pictures of these cases' most attended items.

    Args:
        out: the folder.
        shelf: knows where items come from.
        predictions: a row per case that is shown, in the order in which they are shown.
        attention: rows of `record.table.ATTENTION`, those of these cases among them.
    """
    ranked = sorted(attention, key=lambda row: (str(row["case_id"]), int(str(row["rank"]))))
    items = {case: list(rows)[:ITEMS] for case, rows in groupby(ranked, key=_case)}
    rows: list[dict[str, Cell]] = []
    for place, prediction in enumerate(predictions, start=1):
        about = {name: prediction[name] for name in ("label", "decision")}
        for row in items.get(_case(prediction), ()):
            shown = {name: row[name] for name in table.ATTENDED.columns if name in row}
            file = f"{FOLDER}/{place:04d}-{row['rank']}.jpg"
            rows.append(
                {
                    **shown,
                    **about,
                    "place": place,
                    "probability": probability(prediction),
                    "picture": file if _draw(out / file, _item(shelf, row)) else None,
                }
            )
    table.write(out / NAME, table.ATTENDED, rows)


def thumbnail(pixels: np.ndarray) -> bytes:
    """(H, W, 3) uint8 -> a JPEG of at most `SIDE` pixels along each side."""
    image = Image.fromarray(pixels)
    image.thumbnail((SIDE, SIDE))
    file = io.BytesIO()
    image.save(file, format="JPEG", quality=QUALITY)
    return file.getvalue()


def _draw(path: Path, item: Prepared) -> bool:
    """Whether there is a picture of the item, which is then written."""
    try:
        pixels = picture(item)
    except DataError:
        return False
    atomic.write_bytes(path, thumbnail(pixels))
    return True


def _item(shelf: Shelf, row: Mapping[str, Cell]) -> Prepared:
    return shelf.items[_case(row)][str(row["modality"])][int(str(row["item"])) - 1]


def _case(row: Mapping[str, Cell]) -> str:
    return str(row["case_id"])
