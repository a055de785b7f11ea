"""Where a registration may begin: tilts around likely centres, scored by mutual information.

A head is looked for where its bright voxels are centred, where they are bounded, and below their
top: below it, because a scan may show neck, shoulders or a whole body under the head.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations, product

import numpy as np
from scipy.ndimage import binary_dilation
from scipy.spatial.transform import Rotation

from mmmed.readers import template
from mmmed.readers.template import Like
from mmmed.transforms.registration.scan import Scan

MIDDLE = np.array([0.0, -18.0, 12.0])
"""The middle of the template's brain, in mm; maps turn about it."""

COARSE_MM = 8.0
"""Voxels on which starts are scored and refined: a brain has some 3,000."""

RIM_MM = 8.0
"""How far around the brain the template is looked at, so that a brain's outline counts."""

BELOW_TOP_MM = 85.0
"""From the top of a head to the middle of its brain."""

NODS = (-28.0, -14.0, 0.0, 14.0, 28.0)
"""Degrees about the left-right axis: heads lie on all kinds of head rests."""

SIDEWAYS = ((0.0, 0.0), (17.0, 0.0), (-17.0, 0.0), (0.0, 17.0), (0.0, -17.0))
"""Degrees about the back-front and the down-up axis, with each nod."""

APART_DEGREES, APART_MM = 14.0, 15.0
"""Starts nearer to a better one than both lead to the same place."""

LEVELS = 24
"""Grey levels per image of the joint histogram; 3,000 voxels fill no more."""


@dataclass(frozen=True)
class Start:
    """A rigid map from the template into a scan, `turn @ (mm - MIDDLE) + centre`.

    Attributes:
        score: mutual information in nats.
        pose: index into `poses()`.
        turn: (3, 3) rotation, the pose included.
        centre: (3,) mm of the scan where the middle of the brain is put.
    """

    score: float
    pose: int
    turn: np.ndarray
    centre: np.ndarray


@lru_cache(maxsize=1)
def poses() -> tuple[np.ndarray, ...]:
    """The 24 rotations that take axes to axes, the identity first."""
    found = []
    for order, signs in product(permutations(range(3)), product((1.0, -1.0), repeat=3)):
        matrix = np.zeros((3, 3))
        matrix[range(3), order] = signs
        if np.linalg.det(matrix) > 0:
            found.append(matrix)
    return tuple(sorted(found, key=lambda matrix: -float(np.trace(matrix))))


def stated(scan: Scan, like: Like) -> list[Start]:
    """Starts in the pose that the header states, the best first."""
    tilts = [_rotation(nod, *side) for nod, side in product(NODS, SIDEWAYS)]
    return _scored(scan, like, [(0, tilt) for tilt in tilts], _centres(scan))


def turned(scan: Scan, like: Like) -> list[Start]:
    """Starts in the 23 other poses, the best first."""
    tilts = [_rotation(nod, 0.0, 0.0) for nod in (-17.0, 0.0, 17.0)]
    others = [(place, pose @ tilt) for place, pose in enumerate(poses()) if place for tilt in tilts]
    return _scored(scan, like, others, _centres(scan)[:2])


def information(scan: Scan, like: Like, *, linear: np.ndarray, centre: np.ndarray) -> float:
    """Mutual information of template and scan in nats, on every second coarse voxel.

    Args:
        scan: on voxels of about `COARSE_MM`.
        like: which template.
        linear: (3, 3) from the template's axes to the scan's.
        centre: (3,) mm of the scan where the middle of the template's brain is put.
    """
    points, levels = _sample(like)
    seen = _levels(scan.at((points - MIDDLE) @ linear.T + centre))
    joint = np.bincount(levels * LEVELS + seen, minlength=LEVELS * LEVELS)
    share = joint.reshape(LEVELS, LEVELS) / len(levels)
    alone = share.sum(axis=1, keepdims=True) * share.sum(axis=0, keepdims=True)
    filled = share > 0
    return float((share[filled] * np.log(share[filled] / alone[filled])).sum())


def apart(starts: Iterable[Start], count: int) -> list[Start]:
    """The first `count` of which none leads to the same place as one before it."""
    kept: list[Start] = []
    for start in starts:
        if all(_differ(start, other) for other in kept):
            kept.append(start)
        if len(kept) == count:
            break
    return kept


@lru_cache(maxsize=8)
def near_brain(voxel_mm: float) -> np.ndarray:
    """The template's brain and `RIM_MM` around it, (i, j, k) boolean."""
    width = round(RIM_MM / voxel_mm)
    grown = binary_dilation(np.pad(template.brain_mask(voxel_mm), width), iterations=width)
    inner = slice(width, -width)
    mask = np.ascontiguousarray(grown[inner, inner, inner])
    mask.setflags(write=False)
    return mask


def _scored(
    scan: Scan, like: Like, turns: Sequence[tuple[int, np.ndarray]], centres: Sequence[np.ndarray]
) -> list[Start]:
    found = [
        Start(information(scan, like, linear=turn, centre=centre), pose, turn, centre)
        for (pose, turn), centre in product(turns, centres)
    ]
    return sorted(found, key=lambda start: -start.score)


@lru_cache(maxsize=2)
def _sample(like: Like) -> tuple[np.ndarray, np.ndarray]:
    """Every second voxel near the template's brain: mm (n, 3), grey level (n,)."""
    mask = near_brain(COARSE_MM)
    chosen = mask & (np.indices(mask.shape).sum(axis=0) % 2 == 0)
    values = template.looks(like, COARSE_MM)[chosen]
    return template.grid(COARSE_MM).centres[chosen].astype(float), _levels(values)


def _centres(scan: Scan) -> list[np.ndarray]:
    bright = scan.bright()
    low, high, top = np.percentile(bright, [1, 99, 99.5], axis=0)
    upper = bright[bright[:, 2] > top[2] - 1.5 * BELOW_TOP_MM]
    below = np.append(np.median(upper, axis=0)[:2], top[2] - BELOW_TOP_MM)
    return [bright.mean(axis=0), (low + high) / 2, below]


def _rotation(about_x: float, about_y: float, about_z: float) -> np.ndarray:
    turn = Rotation.from_euler("xyz", (about_x, about_y, about_z), degrees=True)
    return np.asarray(turn.as_matrix())


def _differ(one: Start, other: Start) -> bool:
    cosine = (np.trace(one.turn @ other.turn.T) - 1) / 2
    angle = np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
    shift = np.linalg.norm(one.centre - other.centre)
    return bool(angle > APART_DEGREES or shift > APART_MM)


def _levels(values: np.ndarray) -> np.ndarray:
    low, high = values.min(), values.max()
    if not high > low:
        return np.zeros(len(values), dtype=int)
    return np.asarray(((values - low) / (high - low) * (LEVELS - 1e-3)).astype(int))
