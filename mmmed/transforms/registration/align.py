"""From a scan to its map into the template's space, and what speaks against it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mmmed.errors import DataError
from mmmed.readers.template import Like
from mmmed.transforms.raster import Raster
from mmmed.transforms.registration import refine, start
from mmmed.transforms.registration.level import levelled
from mmmed.transforms.registration.scan import Scan, averaged, one_thread, padded, shrunk

FINE_MM = 4.0
"""Voxels of the last refinement; finer ones move the map by tenths of a mm only."""

FINE_SHARE = 0.25
"""Share of the fine voxels that count; all of them move the map by less than 0.1 mm."""

TRIED = 3
"""Starts that are refined."""

SHAPED = 2
"""Rigid maps that are refined as affine ones: the best one need not lead to the best."""

RIVALS = 2
"""Starts of other poses that are refined where they might win."""

WORTH_REFINING = 0.75
"""Share of the best start's score from which another start might win."""


@dataclass(frozen=True)
class Alignment:
    """How a scan lies in the template's space.

    Attributes:
        matrix: (4, 4) mm of the scan -> mm of the template.
        information: mutual information of the best rigid map in the pose that the header states.
        rival: that of the best one in any other pose; 0 where none was worth refining.
    """

    matrix: np.ndarray
    information: float
    rival: float


def made_alike(raster: Raster, like: Like) -> Scan:
    """The scan on voxels of about `FINE_MM`, clipped; an MRI without its coil's field.

    Args:
        raster: a volume in canonical RAS orientation; its first channel counts.
        like: which template it will be brought to.

    Raises:
        GeometryError: the field of view is too short to hold a brain.
        DataError: the intensities do not vary.
    """
    scan = shrunk(raster, voxel_mm=FINE_MM)
    return levelled(scan) if like == "t1" else scan


def align(fine: Scan, like: Like) -> Alignment:
    """The affine map of a head, or of what is taken for one: `quality` says whether it is.

    Args:
        fine: a scan as `made_alike` returns it.
        like: which template it is brought to.

    Raises:
        DataError: no map was found.
    """
    small = averaged(fine, voxel_mm=start.COARSE_MM)
    coarse = padded(small)
    stated = start.stated(small, like)
    others = [
        one for one in start.turned(small, like) if one.score > WORTH_REFINING * stated[0].score
    ]
    try:
        with one_thread():
            tried = [
                refine.rigid(coarse, like, one, voxel_mm=start.COARSE_MM)
                for one in start.apart(stated, TRIED)
                if one.score > WORTH_REFINING * stated[0].score
            ]
            rivals = [
                refine.rigid(coarse, like, one, voxel_mm=start.COARSE_MM).information
                for one in start.apart(others, RIVALS)
            ]
            tried.sort(key=lambda one: -one.information)
            shaped = [
                refine.affine(
                    coarse,
                    like,
                    refine.scaled(small, like, one),
                    voxel_mm=start.COARSE_MM,
                    share=1.0,
                )
                for one in refine.apart(tried, SHAPED)
            ]
            best = max(shaped, key=lambda one: one.information)
            found = refine.affine(padded(fine), like, best, voxel_mm=FINE_MM, share=FINE_SHARE)
            matrix = np.linalg.inv(found.matrix())
    except (RuntimeError, np.linalg.LinAlgError) as error:
        raise DataError(f"cannot be registered: {_short(error)}; choose another series") from error
    return Alignment(matrix, tried[0].information, max(rivals, default=0.0))


def _short(error: Exception) -> str:
    """The last line of what SimpleITK or numpy says: the one with the reason."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1][:200] if lines else type(error).__name__
