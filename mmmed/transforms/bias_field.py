"""The smooth field that receiver coils multiply an MRI with, estimated coarsely and divided out.

First the plane of `registration.level`, in one step, then N4 for what is left (Tustison et al.,
2010, doi:10.1109/TMI.2010.2046908) as SimpleITK has it: it would need many steps for the plane. The
field has no detail below some 5 cm, so it is estimated on coarse voxels and evaluated on all.
"""

from __future__ import annotations

import numpy as np

from mmmed.errors import DataError
from mmmed.transforms.raster import Raster
from mmmed.transforms.registration.level import plane
from mmmed.transforms.registration.scan import Scan, averaged, itk, one_thread, otsu, to_itk

ROUNDS = (30, 20, 10)
"""Iterations at each resolution of the field."""


def corrected(raster: Raster, *, shrink_mm: float) -> tuple[Raster, str]:
    """The volume without its field, which keeps a mean of 1 over the head, and what was done.

    Args:
        raster: one channel; negative values count as 0.
        shrink_mm: voxels on which the field is estimated.

    Raises:
        DataError: there is nothing bright to estimate a field from.
    """
    small = averaged(Scan(raster.data[0].clip(0), raster.affine), voxel_mm=shrink_mm)
    slant = plane(small)
    near = slant.on(small.data.shape, small.affine)
    level = small.data / np.exp(near)
    head = level > otsu(level)
    if head.sum() < 4**3:
        raise DataError("holds nothing that stands out from its background; choose another series")
    search = itk.N4BiasFieldCorrectionImageFilter()
    search.SetMaximumNumberOfIterations(ROUNDS)
    try:
        with one_thread():
            search.Execute(to_itk(level, small.affine), to_itk(head.astype(np.uint8), small.affine))
            whole = to_itk(raster.data[0], raster.affine)
            log_field = itk.GetArrayFromImage(search.GetLogBiasFieldAsImage(whole)).transpose(
                2, 1, 0
            )
            coarse = itk.GetArrayFromImage(
                search.GetLogBiasFieldAsImage(to_itk(small.data, small.affine))
            ).transpose(2, 1, 0)
    except RuntimeError as error:
        raise DataError("its bias field cannot be estimated; choose another series") from error
    coarse = coarse + near
    log_field = log_field + slant.on(raster.space, raster.affine)
    middle = float(coarse[head].mean())
    field = np.exp(np.clip(log_field - middle, -3.0, 3.0)).astype(np.float32)
    spread = float(coarse[head].std())
    return Raster(raster.data / field, raster.affine), f"N4, spread {spread:.3g} of its logarithm"
