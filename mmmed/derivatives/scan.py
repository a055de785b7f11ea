"""The files of one prepared scan: volume, sidecar, montage; and its row of the quality table.

A scan whose sidecar names the same key and whose files are there is left as it is, so that a second
call writes nothing and an interrupted one goes on.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any

import nibabel as nib
import numpy as np

from mmmed.errors import DataError, MmmedError
from mmmed.readers import entities
from mmmed.readers.dicom.line import reason_line, shown_path
from mmmed.readers.sidecar import declared_space, read_sidecar, sidecar_path
from mmmed.readers.source import Source
from mmmed.readers.template import SPATIAL_REFERENCE, Like
from mmmed.record import atomic, digest
from mmmed.record.table import Cell
from mmmed.transforms import series
from mmmed.transforms.gallery import verdict
from mmmed.transforms.inspection import checked, montage
from mmmed.transforms.prepare import load
from mmmed.transforms.prepared import Placed, Prepared, Refused
from mmmed.transforms.quality import Quality

KEPT = ("Modality", "TracerName", "TracerRadionuclide", "Manufacturer", "MagneticFieldStrength")
"""What a derivative's sidecar takes over from its source's."""

MNI_SPACE = 4
"""NIfTI's code for coordinates in MNI152 space."""


@dataclass(frozen=True)
class Order:
    """One scan to write.

    Attributes:
        case: whom it belongs to.
        modality: which of the study's it is.
        name: where the scan stands, or would stand, in a BIDS folder.
        like: what it looks like.
        chain: digest of its chain.
    """

    case: str
    modality: str
    name: PurePosixPath
    like: Like
    chain: str


def written(order: Order, outcome: Prepared | Refused, *, data: Path, out: Path) -> dict[str, Cell]:
    """Write what there is of one scan; returns its row of the quality table.

    Args:
        order: whose scan it is, and of what kind.
        outcome: of its preparation.
        data: the folder it was read from; paths in the output are relative to it.
        out: the folder of the derivative.

    Raises:
        RunError: `out` cannot be written to.
    """
    row: dict[str, Cell] = {
        "case_id": order.case,
        "modality": order.modality,
        "source": shown_path(outcome.source.path.relative_to(data)),
    }
    try:
        return {**row, **_judged(order, outcome, data=data, out=out)}
    except MmmedError as error:
        return {**row, "verdict": "refused", "reason": reason_line(str(error), data)}


def _judged(order: Order, outcome: Prepared | Refused, *, data: Path, out: Path) -> dict[str, Cell]:
    source = outcome.source
    if isinstance(outcome, Refused) and outcome.placed is None:
        raise DataError(outcome.reason)
    target = out / _target(order.name)
    known = _known(target, outcome, order.chain)
    if known is not None:
        return _row(Quality(known["Checks"]), known["Montage"], target, out)
    placed = checked(outcome, order.like)
    quality = Quality(placed.checks)
    picture = _montage(outcome, order, data=data, out=out)
    for stale in (sidecar_path(target), target):
        stale.unlink(missing_ok=True)
    if isinstance(outcome, Prepared) and quality.verdict != "fail":
        _write_volume(target, outcome)
        facts = _facts(source, outcome, placed, quality, data=data)
        atomic.write_json(
            sidecar_path(target), {**facts, "Key": _key(outcome, order.chain), "Montage": picture}
        )
    return _row(quality, picture, target, out)


def _row(quality: Quality, picture: str, target: Path, out: Path) -> dict[str, Cell]:
    failed = quality.verdict == "fail"
    return {
        **verdict(quality),
        "output": None if failed else target.relative_to(out).as_posix(),
        "montage": picture,
    }


def _target(name: PurePosixPath) -> PurePosixPath:
    """Where the prepared scan stands: as in the data, its name saying the space."""
    parsed = entities.parse(name.name)
    others = {**parsed.others, "space": SPATIAL_REFERENCE}
    named = replace(parsed, ending=".nii.gz", others=MappingProxyType(others))
    return name.parent / entities.build(named)


def _key(outcome: Prepared, chain: str) -> str:
    """Other for another map too: through another MRI, the same file of a PET lies elsewhere."""
    placed = None if outcome.placed is None else [list(row) for row in outcome.placed.matrix]
    return digest.of_value(
        {"file": outcome.digest, "chain": chain, "record": list(outcome.record), "map": placed}
    )


def _known(target: Path, outcome: Prepared | Refused, chain: str) -> dict[str, Any] | None:
    """The sidecar of a scan that is written already; None where it is not, or is another one."""
    if isinstance(outcome, Refused) or not target.is_file():
        return None
    try:
        sidecar = read_sidecar(target)
    except DataError:
        return None
    same = sidecar.get("Key") == _key(outcome, chain) and "Checks" in sidecar
    return sidecar if same else None


def _montage(outcome: Prepared | Refused, order: Order, *, data: Path, out: Path) -> str:
    path = out / "qc" / f"{order.name.name.partition('.')[0]}.png"
    name = shown_path(outcome.source.path.relative_to(data))
    atomic.write_bytes(path, montage(outcome, order.like, name=name))
    return path.relative_to(out).as_posix()


def _write_volume(target: Path, item: Prepared) -> None:
    """The first channel as float32 NIfTI; the same values give the same bytes."""
    affine = np.asarray(item.affine)
    image: Any = nib.Nifti1Image(load(item)[0], affine)  # type: ignore[no-untyped-call]
    image.set_sform(affine, code=MNI_SPACE)
    image.set_qform(affine, code=MNI_SPACE)
    atomic.write_bytes(target, gzip.compress(image.to_bytes(), compresslevel=3, mtime=0))


def _facts(
    source: Source, item: Prepared, placed: Placed, quality: Quality, *, data: Path
) -> dict[str, Any]:
    return {
        **_origin(source, data),
        "SpatialReference": SPATIAL_REFERENCE,
        "SourceSHA256": item.digest,
        "Steps": list(item.record),
        **({"SUV": item.derivation} if item.derivation else {}),
        **({"Through": _files(item.guided.source, data)} if item.guided else {}),
        "Map": [list(row) for row in placed.matrix],
        "Quality": quality.verdict,
        "Checks": dict(quality.values),
    }


def _origin(source: Source, data: Path) -> dict[str, Any]:
    """What the source says of itself, and where it is; a series by all its files."""
    if source.files:
        said = series.described(source.files)
        return {**said, "Sources": _files(source, data), "DeclaredSpace": None}
    before = read_sidecar(source.path)
    return {
        **{name: before[name] for name in KEPT if name in before},
        "Sources": _files(source, data),
        "DeclaredSpace": declared_space(source.path),
    }


def _files(source: Source, data: Path) -> list[str]:
    """The files of a source, relative to the folder."""
    return sorted(shown_path(path.relative_to(data)) for path in source.files or (source.path,))
