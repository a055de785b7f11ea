"""Ways to damage an image, one function each, and what each must be called."""

from __future__ import annotations

import csv
import gzip
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import nibabel as nib
import numpy as np

Damage = Callable[[Path], None]

HTML = b"<!DOCTYPE html><html><body>404 Not Found</body></html>"
MEMBER = 64 << 20
"""Bytes of zeros in one member of a gzip file; 65 KB when compressed."""


def header(shape: tuple[int, ...]) -> bytes:
    """The 352 bytes that stand before the voxels of a float32 NIfTI-1 file."""
    written = nib.Nifti1Header()
    written.set_data_dtype(np.float32)
    written.set_data_shape(shape)
    written.set_sform(np.diag([4.0, 4.0, 4.0, 1.0]), code=1)
    written["magic"] = b"n+1"
    written["vox_offset"] = 352
    return bytes(written.binaryblock) + bytes(4)


def with_nan(image: Path) -> None:
    """One voxel is not a number."""
    loaded = nib.load(image)
    data = loaded.get_fdata(dtype=np.float32).copy()
    data[1, 2, 3] = np.nan
    nib.save(nib.Nifti1Image(data, loaded.affine), image)


def with_frames(image: Path) -> None:
    """A dynamic image: two frames."""
    loaded = nib.load(image)
    frames = np.stack([loaded.get_fdata(dtype=np.float32)] * 2, axis=-1)
    nib.save(nib.Nifti1Image(frames, loaded.affine), image)


def truncated(image: Path) -> None:
    """The second half of the file is missing."""
    content = image.read_bytes()
    image.write_bytes(content[: len(content) // 2])


def web_page(image: Path) -> None:
    """What a failed download leaves."""
    image.write_bytes(HTML)


def empty(image: Path) -> None:
    """No byte."""
    image.write_bytes(b"")


def broken_link(image: Path) -> None:
    """What an annexed file is before it is fetched."""
    image.unlink()
    image.symlink_to(image.with_name("not-fetched"))


def folder(image: Path) -> None:
    """A folder of the image's name."""
    image.unlink()
    image.mkdir()


def pipe(image: Path) -> None:
    """A pipe that nobody writes to: whoever opens it waits for ever."""
    image.unlink()
    os.mkfifo(image)


def unreadable(image: Path) -> None:
    """A file without permission to read it; does not stop root."""
    image.chmod(0)


def stating_much(image: Path) -> None:
    """A small file whose header states 100 GB."""
    image.write_bytes(gzip.compress(header((3000, 3000, 3000)) + bytes(1000)))


def inflating(image: Path) -> None:
    """A file of 100 MB that inflates to 100 GB, behind the header of a small volume."""
    zeros = gzip.compress(bytes(MEMBER), compresslevel=9)
    with image.open("wb") as file:
        file.write(gzip.compress(header((40, 48, 48))))
        for _ in range(100 * 10**9 // MEMBER):
            file.write(zeros)


def twice(image: Path) -> None:
    """Two files for one item."""
    image.with_name(image.name.removesuffix(".gz")).write_bytes(gzip.decompress(image.read_bytes()))


REASONS: Mapping[Damage, str] = {
    with_nan: "voxels are NaN or infinite",
    with_frames: "4-D with 2 volumes; one 3-D volume is expected",
    truncated: "truncated",
    web_page: "is a web page (HTML)",
    empty: "is empty",
    broken_link: "is a broken link",
    folder: "is a folder, not a file",
    pipe: "is a device or pipe",
    stating_much: "the header states 100.6 GiB",
    inflating: "goes on behind the image that its header states",
    twice: "two files for one item",
}
"""What each kind of damage must be called; `unreadable` needs a user who is not root."""


def permissions_bind() -> bool:
    """Whether a file's permissions hold for this user; root passes them by."""
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).chmod(0)
        return not os.access(file.name, os.R_OK)


def images(root: Path, modality: str, *subjects: str) -> list[Path]:
    """The images of one modality of these subjects."""
    datatype, suffix = {"mri": ("anat", "T1w"), "pet": ("pet", "pet")}[modality]
    return [
        next(root.glob(f"{subject}/ses-M000/{datatype}/*_{suffix}.nii.gz")) for subject in subjects
    ]


def people(root: Path) -> list[dict[str, str]]:
    """The rows of participants.tsv."""
    with (root / "participants.tsv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def rewrite(root: Path, rows: list[dict[str, str]]) -> None:
    """Write the rows as participants.tsv."""
    with (root / "participants.tsv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def relabelled(root: Path, **changes: str) -> None:
    """Change cells of the first row of participants.tsv."""
    first, *others = people(root)
    rewrite(root, [{**first, **changes}, *others])


def in_two_parts(root: Path, subject: str) -> None:
    """A second session of a subject that trains already, in the test part."""
    again = root / subject / "ses-M012"
    shutil.copytree(root / subject / "ses-M000", again)
    for path in list(again.rglob(f"{subject}_*")):
        path.rename(path.with_name(path.name.replace("ses-M000", "ses-M012")))
    visits = "session_id\tpart\nses-M012\ttest\n"
    (root / subject / f"{subject}_sessions.tsv").write_text(visits)


def one_of_each(root: Path) -> dict[str, Damage]:
    """Every kind of damage once, on an image of a training subject of its own: who has which."""
    train = [row["participant_id"] for row in people(root) if row["part"] == "train"]
    kinds = dict(zip(train[: len(REASONS)], REASONS, strict=True))
    for place, (subject, kind) in enumerate(kinds.items()):
        (image,) = images(root, ("mri", "pet")[place % 2], subject)
        kind(image)
    return kinds
