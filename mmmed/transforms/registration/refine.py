"""Maps improved step by step, by SimpleITK's mutual information (Mattes et al., 2003).

The metric is doi:10.1109/TMI.2003.809072: it asks for no likeness of contrasts. Voxels that count
lie on a regular raster. A search that ends worse than it began is taken back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from mmmed.readers import template
from mmmed.readers.template import Like
from mmmed.transforms.registration.scan import Scan, itk, to_itk
from mmmed.transforms.registration.start import MIDDLE, Start, information, near_brain, poses

BINS = 32
"""Grey levels of SimpleITK's joint histogram, by Mattes' advice for brains."""

RELAXATION = 0.6
"""By how much a step shrinks where the search turns round."""

SIZES = (1.0, 0.94, 1.06, 0.88, 1.12, 0.82, 0.76)
"""Sizes of heads over the template's that are tried: it is larger than most."""

SAME_DEGREES, SAME_MM = 2.0, 2.0
"""Rigid maps nearer than both to one another are one; a quarter of a coarse voxel."""

SMALLEST = 1 / 128
"""A search ends when its steps are this share of the first one."""


@dataclass(frozen=True)
class Refined:
    """A map from the template into a scan and how well it fits.

    Attributes:
        information: mutual information, as SimpleITK measures it.
        linear: (3, 3), acts about `MIDDLE`.
        shift: (3,) mm.
    """

    information: float
    linear: np.ndarray
    shift: np.ndarray

    def matrix(self) -> np.ndarray:
        """(4, 4) mm of the template -> mm of the scan."""
        whole = np.eye(4)
        whole[:3, :3] = self.linear
        whole[:3, 3] = self.shift + MIDDLE - self.linear @ MIDDLE
        return whole


def rigid(scan: Scan, like: Like, start: Start, *, voxel_mm: float) -> Refined:
    """The best rigid map near a start.

    The pose is laid into the scan's axes first: near half a turn a versor has no derivative.
    """
    pose = np.eye(4)
    pose[:3, :3] = poses()[start.pose]
    map_ = itk.VersorRigid3DTransform()
    map_.SetCenter(MIDDLE.tolist())
    map_.SetMatrix((pose[:3, :3].T @ start.turn).ravel().tolist(), 1e-6)
    map_.SetTranslation((pose[:3, :3].T @ start.centre - MIDDLE).tolist())
    moving = to_itk(scan.data, pose.T @ scan.affine)
    information = optimised(map_, moving, _fixed(like, voxel_mm), turns=40, step_mm=4.0)
    found = _refined(map_, information)
    return Refined(
        information,
        pose[:3, :3] @ found.linear,
        pose[:3, :3] @ (found.shift + MIDDLE) - MIDDLE,
    )


def affine(scan: Scan, like: Like, begun: Refined, *, voxel_mm: float, share: float) -> Refined:
    """The best affine map near another of pose 0.

    Args:
        scan: on voxels of about `voxel_mm`.
        like: what it looks like.
        begun: where the search begins.
        voxel_mm: of the template.
        share: of its voxels that count.
    """
    map_ = itk.AffineTransform(3)
    map_.SetCenter(MIDDLE.tolist())
    map_.SetMatrix(begun.linear.ravel().tolist())
    map_.SetTranslation(begun.shift.tolist())
    moving = to_itk(scan.data, scan.affine)
    information = optimised(
        map_, moving, _fixed(like, voxel_mm), turns=100, step_mm=1.0, share=share
    )
    return _refined(map_, information)


def apart(found: Iterable[Refined], count: int) -> list[Refined]:
    """The first `count` rigid maps of which none ended where one before it did."""
    kept: list[Refined] = []
    for one in found:
        if all(_differ(one, other) for other in kept):
            kept.append(one)
    return kept[:count]


def scaled(scan: Scan, like: Like, begun: Refined) -> Refined:
    """A rigid map with the size that fits best: a step of its own, as heads differ by a third."""
    centre = begun.shift + MIDDLE
    fits = {
        size: information(scan, like, linear=begun.linear * size, centre=centre) for size in SIZES
    }
    best = max(SIZES, key=lambda size: fits[size])
    return Refined(begun.information, begun.linear * best, begun.shift)


def _differ(one: Refined, other: Refined) -> bool:
    cosine = (np.trace(one.linear @ other.linear.T) - 1) / 2
    angle = np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
    return bool(angle > SAME_DEGREES or np.linalg.norm(one.shift - other.shift) > SAME_MM)


def _refined(map_: Any, information: float) -> Refined:
    linear = np.asarray(map_.GetMatrix()).reshape(3, 3)
    return Refined(information, linear, np.asarray(map_.GetTranslation()))


def optimised(
    map_: Any,
    moving: Any,
    still: tuple[Any, Any],
    *,
    turns: int,
    step_mm: float,
    share: float = 1.0,
) -> float:
    """Improve a map in place, or leave it as it is; returns its mutual information.

    Args:
        map_: SimpleITK's transform from the still image to the moving one.
        moving: SimpleITK's image.
        still: the other image, and a mask of where it is looked at.
        turns: steps at most.
        step_mm: of the first step.
        share: of the masked voxels that count.
    """
    fixed, mask = still
    search = itk.ImageRegistrationMethod()
    search.SetMetricAsMattesMutualInformation(BINS)
    search.SetMetricFixedMask(mask)
    search.SetMetricUseFixedImageGradientFilter(False)
    search.SetMetricUseMovingImageGradientFilter(False)
    if share < 1:
        search.SetMetricSamplingStrategy(search.REGULAR)
        search.SetMetricSamplingPercentage(share, 1)
    search.SetInterpolator(itk.sitkLinear)
    search.SetOptimizerAsRegularStepGradientDescent(
        learningRate=step_mm,
        minStep=step_mm * SMALLEST,
        numberOfIterations=turns,
        relaxationFactor=RELAXATION,
    )
    search.SetOptimizerScalesFromPhysicalShift()
    search.SetInitialTransform(map_, True)
    begun, before = map_.GetParameters(), -float(search.MetricEvaluate(fixed, moving))
    search.Execute(fixed, moving)
    after = -float(search.GetMetricValue())
    if after < before:
        map_.SetParameters(begun)
    return max(before, after)


@lru_cache(maxsize=4)
def _fixed(like: Like, voxel_mm: float) -> tuple[Any, Any]:
    """The template and where it is looked at."""
    grid = template.grid(voxel_mm)
    image = to_itk(template.looks(like, voxel_mm), grid.affine)
    return image, to_itk(near_brain(voxel_mm).astype(np.uint8), grid.affine)
