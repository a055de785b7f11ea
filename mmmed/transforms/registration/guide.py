"""A PET laid on an MRI of the same head, and with it into the template's space."""

from __future__ import annotations

import numpy as np

from mmmed.errors import DataError
from mmmed.readers import template
from mmmed.transforms.registration.refine import optimised
from mmmed.transforms.registration.scan import Scan, itk, one_thread, padded, to_itk
from mmmed.transforms.registration.start import MIDDLE, near_brain

GRID_MM = 4.0
"""Voxels of the mask that says where the MRI is looked at."""

SHARE = 0.25
"""Share of the MRI's voxels that count."""

FEWEST = 200
"""Voxels of an MRI near its brain; with fewer, the MRI does not show the brain it declares."""


def carried(scan: Scan, guide: Scan, *, placed: np.ndarray, begun: np.ndarray) -> np.ndarray:
    """(4, 4) mm of the PET -> mm of the template: a rigid map to the MRI, then the MRI's own map.

    Args:
        scan: the PET on coarse voxels.
        guide: the MRI on coarse voxels.
        placed: (4, 4) mm of the MRI -> mm of the template.
        begun: (4, 4) mm of the PET -> mm of the template, as the PET alone suggests.

    Raises:
        DataError: no map was found.
    """
    centre = _moved(MIDDLE, np.linalg.inv(placed))
    guess = np.linalg.inv(begun) @ placed
    left, _, right = np.linalg.svd(guess[:3, :3])
    rigid = itk.VersorRigid3DTransform()
    rigid.SetCenter(centre.tolist())
    rigid.SetMatrix((left @ right).ravel().tolist(), 1e-6)
    rigid.SetTranslation((_moved(centre, guess) - centre).tolist())
    mask = _brain(guide, placed)
    if mask.sum() < FEWEST:
        raise DataError("the MRI does not reach the template's brain")
    wide = padded(scan)
    try:
        with one_thread():
            optimised(
                rigid,
                to_itk(wide.data, wide.affine),
                (to_itk(guide.data, guide.affine), to_itk(mask.astype(np.uint8), guide.affine)),
                turns=60,
                step_mm=2.0,
                share=SHARE,
            )
    except RuntimeError as error:
        raise DataError("cannot be laid on the MRI") from error
    found = np.eye(4)
    found[:3, :3] = np.asarray(rigid.GetMatrix()).reshape(3, 3)
    found[:3, 3] = np.asarray(rigid.GetTranslation()) + centre - found[:3, :3] @ centre
    return np.asarray(placed @ np.linalg.inv(found))


def _brain(guide: Scan, placed: np.ndarray) -> np.ndarray:
    """Which of the MRI's voxels lie near the template's brain, (i, j, k) boolean."""
    grid = template.grid(GRID_MM)
    to_grid = np.linalg.inv(grid.affine) @ placed @ guide.affine
    index = np.indices(guide.data.shape).reshape(3, -1)
    places = np.rint(to_grid[:3, :3] @ index + to_grid[:3, 3:]).astype(int)
    inside = ((places >= 0) & (places < np.array(grid.shape)[:, None])).all(axis=0)
    found = np.zeros(inside.size, dtype=bool)
    found[inside] = near_brain(GRID_MM)[tuple(places[:, inside])]
    return found.reshape(guide.data.shape)


def _moved(point: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return np.asarray(matrix[:3, :3] @ point + matrix[:3, 3])
