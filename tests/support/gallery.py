"""A cohort of pictures in a table, and files that are not as they should be.

photo   colour, PNG, its sides differing from case to case; several in one cell for some cases
scope   grey of 16 bits, TIFF, 32 x 32, in two columns; every fourth case has none, every fifth two

A disc in the middle of every picture is brighter than its surroundings in class `AD`, darker in
`CN`.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import picture
from PIL import Image

PARTS = (*["train"] * 24, *["validation"] * 8, *["calibration"] * 8, *["test"] * 12)
"""Of the cases of a whole cohort, in their order."""

WORKSPACE: Mapping[str, str] = {
    "cohorts/gallery.yaml": """\
mmmed: 1
kind: table
table: cases.tsv
modalities:
  photo: {kind: image, columns: [photo], separator: ";"}
  scope: {kind: image, columns: [scope_1, scope_2]}
label: {column: dx, classes: [CN, AD]}
""",
    "transforms/small-photo.yaml": """\
mmmed: 1
item: image
prepare:
  - {kind: normalise, mean: [0.5, 0.5, 0.5], sd: [0.25, 0.25, 0.25]}
  - {kind: shorter-side, pixels: 32}
  - {kind: crop-or-pad, shape: [32, 32]}
augment: [{kind: flip}, {kind: quarter-turns}, {kind: noise, sd: 0.02}]
mirror: true
""",
    "transforms/small-scope.yaml": """\
mmmed: 1
item: image
prepare:
  - {kind: colour, to: grey}
  - {kind: z-score, within: all}
""",
    "pipelines/gallery.yaml": """\
mmmed: 1
study: gallery
cohort: gallery
transforms: {photo: small-photo, scope: small-scope}
protocols:
  train: [{kind: mcar, modality: scope, rate: 0.25}]
  test: [{kind: every-pattern}, {kind: mcar, modality: photo, rate: 0.5}]
methods:
  - {kind: hypermm, backbone: {kind: conv}}
  - {kind: late-sum, backbone: {kind: conv}}
  - {kind: late-fusion, backbone: {kind: conv}}
  - {kind: early-fusion, backbone: {kind: conv}}
splits: {kind: holdout}
training: {steps: 30, batch: 8, check_every: 15, checkpoint_every: 15}
evaluation: {positive: AD, interval: {draws: 100}}
""",
}
"""What a workspace says of the cohort: file -> YAML."""


def write_workspace(folder: Path) -> None:
    """A workspace in which the study `gallery` and all it names can be found."""
    for name, text in WORKSPACE.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def write_cohort(
    root: Path,
    *,
    prefix: str = "case",
    parts: tuple[str, ...] = PARTS,
    beside: Mapping[str, Odd] | None = None,
) -> dict[str, str]:
    """Pictures and their table `cases.tsv`; returns name of a file of `beside` -> its case.

    Args:
        root: made here.
        prefix: of the ids of cases.
        parts: of each case.
        beside: files that stand beside the photo of one case each, from the first case on.
    """
    root.mkdir(parents=True)
    rows = [_case(root, name_of(prefix, place), place, part) for place, part in enumerate(parts)]
    owners = {}
    for row, (name, odd) in zip(rows, (beside or {}).items(), strict=False):
        odd.write(root / f"{name}{odd.ending}")
        row["photo"] += f";{name}{odd.ending}"
        owners[name] = row["case_id"]
    write_table(root, rows)
    return owners


def write_table(root: Path, rows: list[dict[str, str]]) -> None:
    """The table of cases."""
    with (root / "cases.tsv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter="\t")
        writer.writeheader()
        writer.writerows(rows)


def read_table(root: Path) -> list[dict[str, str]]:
    """The rows of the table of cases."""
    with (root / "cases.tsv").open() as file:
        return list(csv.DictReader(file, delimiter="\t"))


def name_of(prefix: str, place: int) -> str:
    """The id of a case."""
    return f"{prefix}-{place:02}"


def _case(root: Path, name: str, place: int, part: str) -> dict[str, str]:
    label = place % 2
    photos = [f"{name}-{number}.png" for number in range(2 if place % 3 == 0 else 1)]
    for number, file in enumerate(photos):
        shape = (30 + place % 5, 40) if place % 4 else (40, 30)
        Image.fromarray(_disc(shape, label, seed=(place, number))).save(root / file)
    scopes = (
        [] if place % 4 == 3 else [f"{name}-{side}.tif" for side in range(1 + (place % 5 == 0))]
    )
    for number, file in enumerate(scopes):
        grey = _disc((32, 32), label, seed=(place, 9 + number))[..., 0]
        Image.fromarray(grey.astype(np.uint16) * 200).save(root / file)
    return {
        "case_id": name,
        "photo": ";".join(photos),
        **{f"scope_{1 + side}": (scopes + ["n/a"] * 2)[side] for side in range(2)},
        "dx": ("CN", "AD")[label],
        "part": part,
    }


def _disc(shape: tuple[int, int], label: int, *, seed: tuple[int, int]) -> np.ndarray:
    """(H, W, 3) uint8."""
    rows, columns = np.indices(shape)
    away = np.hypot(rows - shape[0] / 2, columns - shape[1] / 2)
    values = 110 + (40 if label else -40) * (away < min(shape) / 4)
    noise = np.random.default_rng(seed).normal(0, 15, (*shape, 3))
    return (values[..., None] + noise).clip(0, 255).astype(np.uint8)


@dataclass(frozen=True)
class Odd:
    """A file unlike the others of its cohort.

    Attributes:
        ending: of its name.
        write: puts it at a path.
        words: of the reason for which it is left out; None where it is read.
        by_chain: whether it is a sound image that the chain `small-photo` refuses.
    """

    ending: str
    write: Callable[[Path], None]
    words: str | None
    by_chain: bool = False


def _pixels(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)


def _save(mode: str, *shape: int, **options: object) -> Callable[[Path], None]:
    """What writes random pixels (H, W) or (H, W, C) as Pillow's `mode`."""
    image = Image.frombytes(mode, (shape[1], shape[0]), _pixels(*shape).tobytes())
    return lambda path: image.save(path, **options)


def _truncated(path: Path) -> None:
    _save("RGB", 30, 40, 3)(path)
    path.write_bytes(path.read_bytes()[:-200])


def _web_page(path: Path) -> None:
    path.write_bytes(b"<!DOCTYPE html><html><body>404 Not Found</body></html>")


def _pages(path: Path) -> None:
    first, second = (Image.fromarray(_pixels(30, 40, 3)) for _ in range(2))
    first.save(path, save_all=True, append_images=[second])


def _deep(path: Path) -> None:
    path.write_bytes(picture.png(_pixels(30, 40, 3).astype(np.uint16) * 257))


def _palette(path: Path) -> None:
    Image.fromarray(_pixels(30, 40, 3)).quantize(16).save(path)


def _opaque(path: Path) -> None:
    pixels = _pixels(30, 40, 4)
    pixels[..., 3] = 255
    Image.fromarray(pixels).save(path)


REFUSED: Mapping[str, Odd] = {
    "truncated": Odd(".png", _truncated, "truncated or damaged"),
    "web-page": Odd(".png", _web_page, "is a web page (HTML), not an image"),
    "transparent": Odd(".png", _save("RGBA", 30, 40, 4), "is transparent in places"),
    "cmyk": Odd(".tif", _save("CMYK", 30, 40, 4), "its values are CMYK"),
    "renamed": Odd(".png", _save("RGB", 30, 40, 3, format="JPEG"), "is a JPEG by its content"),
    "pages": Odd(".tif", _pages, "holds several pages"),
    "line": Odd(".png", _save("RGB", 1, 40, 3), "an image has two axes"),
    "grey": Odd(
        ".png", _save("L", 30, 40), "has 1 channels and `normalise` states 3", by_chain=True
    ),
    "strip": Odd(
        ".png", _save("RGB", 2, 1000, 3), "`shorter-side` would make 32 x 16000", by_chain=True
    ),
}
"""Files of which each is left out in one line."""

READ: Mapping[str, Odd] = {
    "deep": Odd(".png", _deep, None),
    "palette": Odd(".png", _palette, None),
    "opaque": Odd(".png", _opaque, None),
    "jpeg": Odd(".jpg", _save("RGB", 30, 40, 3), None),
}
"""Files that are read although they are not as the others are."""
