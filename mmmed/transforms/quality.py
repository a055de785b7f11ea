"""Whether a registered scan is a head in the template's place: numbers, each with a verdict.

pass   as every head that was tried        warn   look at its montage        fail   not to be used

Thresholds stand beside each check with what they were set by: templates and simulated heads moved
by known maps on one side; legs, phantoms, balls, noise, bodies and turned heads on the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from scipy.ndimage import binary_dilation

from mmmed.readers import template
from mmmed.readers.template import Like
from mmmed.transforms.registration.align import FINE_MM, Alignment
from mmmed.transforms.registration.scan import Scan, otsu

Verdict = Literal["pass", "warn", "fail"]
VERDICTS: tuple[Verdict, ...] = ("pass", "warn", "fail")


@dataclass(frozen=True)
class Limit:
    """A check: from which value on it warns and fails.

    Attributes:
        warn: the last value that passes.
        fail: the last value that does not fail; above `warn` where large values are bad.
        reason: what a value beyond them means.
    """

    warn: float
    fail: float
    reason: str

    def verdict(self, value: float) -> Verdict:
        """What a value means; one that is no number fails."""
        sign = 1.0 if self.fail > self.warn else -1.0
        if not sign * value <= sign * self.fail:
            return "fail"
        return "pass" if sign * value <= sign * self.warn else "warn"


LIMITS: Mapping[str, Limit] = {
    # Correlation inside the brain. Heads .73 to .9, other contrasts, organs and poses below .4.
    "similarity": Limit(0.5, 0.4, "unlike the template inside the brain"),
    # Mutual information in the best other pose over that in the stated one. Heads below .8,
    # turned ones above 2.
    "pose": Limit(0.9, 1.0, "fits the template better when turned: its header misstates its axes"),
    # Heads on head rests lie within 30 degrees; the search begins within 28.
    "tilt_degrees": Limit(40.0, 50.0, "tilted beyond any head rest"),
    # Adult heads are .8 to 1.05 of the template along each axis, a child's not below .7.
    "smallest_scale": Limit(0.85, 0.75, "shrunk along an axis as no head needs it"),
    "largest_scale": Limit(1.35, 1.5, "stretched along an axis as no head needs it"),
    # Share of the template's brain in the field of view. Up to 3 % of it may be cut off.
    "coverage": Limit(0.97, 0.9, "parts of the brain lie outside the field of view"),
    # Share of the template's brain that is brighter than air; ventricles and sulci may be dark.
    "overlap": Limit(0.75, 0.6, "is dark where the brain should be"),
    # Share of what lies 25 mm outside the brain, above the eyes, that is as bright: air there.
    "outside": Limit(0.2, 0.35, "is bright where a head ends"),
    # Mean SUV in the brain; FDG takes 3 to 10, a scan in other units misses by orders.
    "suv_low": Limit(1.0, 0.3, "its SUV in the brain is below any of a brain PET"),
    "suv_high": Limit(20.0, 40.0, "its SUV in the brain is above any of a brain PET"),
}
"""What passes, what warns, what fails, and why there."""

AIR_BEYOND_MM = 25.0
"""Scalp ends some 15 mm outside the brain."""

ABOVE_MM = 10.0
"""Height in the template above which a head has no face and no neck."""


@dataclass(frozen=True)
class Quality:
    """What was measured of one scan: check -> value."""

    values: Mapping[str, float]

    @property
    def verdict(self) -> Verdict:
        """The worst of all checks."""
        found = {LIMITS[name].verdict(value) for name, value in self.values.items()}
        return max(found, key=VERDICTS.index, default="pass")

    @property
    def reasons(self) -> tuple[str, ...]:
        """Every check that did not pass, in words, the failed ones first."""
        verdicts = {name: LIMITS[name].verdict(value) for name, value in self.values.items()}
        worst = [
            (name, one) for one in ("fail", "warn") for name in verdicts if verdicts[name] == one
        ]
        return tuple(
            f"{one}: {name} {self.values[name]:.3g} "
            f"({LIMITS[name].reason}; {_bound(LIMITS[name], one)})"
            for name, one in worst
        )


def measure(scan: Scan, alignment: Alignment, like: Like, *, suv: bool = False) -> Quality:
    """The checks of a scan in the place that a map gives it.

    Args:
        scan: the scan on voxels of about `FINE_MM`, clipped.
        alignment: its map into the template's space, and that of its best rival.
        like: what it looks like.
        suv: its values are SUVbw.
    """
    brain, beyond, points = _places()
    mm = _moved(points, np.linalg.inv(alignment.matrix))
    seen, values = scan.holds(mm), scan.at(mm)
    bright = values > otsu(values[seen]) if seen.any() else np.zeros(len(values), dtype=bool)
    scales = np.linalg.svd(alignment.matrix[:3, :3], compute_uv=False)
    inside = brain & seen
    far = beyond & seen
    found = {
        "similarity": _correlation(values[inside], template.looks(like, FINE_MM).ravel()[inside]),
        "pose": alignment.rival / max(alignment.information, 1e-6),
        "tilt_degrees": _tilt(alignment.matrix[:3, :3]),
        "smallest_scale": float(scales[-1]),
        "largest_scale": float(scales[0]),
        "coverage": float(seen[brain].mean()),
        "overlap": float(bright[brain].mean()),
        "outside": float(bright[far].mean()) if far.any() else 0.0,
    }
    if suv:
        mean = float(values[inside].mean()) if inside.any() else 0.0
        found |= {"suv_low": mean, "suv_high": mean}
    return Quality(found)


@lru_cache(maxsize=1)
def _places() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of every voxel of the template's grid: whether in the brain, whether beyond, its mm."""
    brain = template.brain_mask(FINE_MM)
    width = round(AIR_BEYOND_MM / FINE_MM)
    grown = binary_dilation(np.pad(brain, width), iterations=width)
    near = grown[(slice(width, -width),) * 3]
    points = template.grid(FINE_MM).centres
    beyond = ~near & (points[..., 2] > ABOVE_MM)
    return brain.ravel(), beyond.ravel(), points.reshape(-1, 3).astype(float)


def _moved(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return np.asarray(points @ matrix[:3, :3].T + matrix[:3, 3])


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    if len(one) < 2 or not one.std() > 0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def _tilt(linear: np.ndarray) -> float:
    """Degrees of the rotation nearest to a linear map."""
    left, _, right = np.linalg.svd(linear)
    cosine = (np.trace(left @ right) - 1) / 2
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


def _bound(limit: Limit, verdict: str) -> str:
    side = "at most" if limit.fail > limit.warn else "at least"
    return f"{side} {limit.warn if verdict == 'warn' else limit.fail:g}"
