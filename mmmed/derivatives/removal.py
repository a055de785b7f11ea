"""What an earlier call wrote into a derivative and the last one did not."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from mmmed.errors import DataError
from mmmed.readers.sidecar import read_sidecar, sidecar_path
from mmmed.readers.template import SPATIAL_REFERENCE

OURS = frozenset({"Key", "Checks", "Montage"})
"""What the sidecars of prepared scans hold, and no others do."""


def remove_others(kept: Collection[str], *, out: Path) -> int:
    """Remove prepared volumes with their sidecars, and montages; returns how many volumes.

    A volume goes only where its sidecar says that it was prepared here.

    Args:
        kept: volumes and montages that stay, relative to `out`.
        out: the folder of the derivative.
    """
    for picture in sorted((out / "qc").glob("*.png")):
        if picture.relative_to(out).as_posix() not in kept:
            picture.unlink()
    removed = 0
    for volume in sorted(out.glob(f"sub-*/**/*_space-{SPATIAL_REFERENCE}_*.nii.gz")):
        if volume.relative_to(out).as_posix() not in kept and _is_ours(volume):
            volume.unlink()
            sidecar_path(volume).unlink()
            removed += 1
    return removed


def _is_ours(volume: Path) -> bool:
    try:
        return read_sidecar(volume).keys() >= OURS
    except DataError:
        return False
