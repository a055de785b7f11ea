"""What scanners and sites do to images: gain, noise, bias, blur, counts.

Every site has its own scanner, drawn from (seed, site); every scan varies around it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Scanner:
    """The scanner pair of one site.

    Attributes:
        t1_gain: factor on T1 intensities.
        t1_offset: added to T1 inside the head, as a share of the template's range.
        t1_noise: standard deviation of white noise, as a share of the template's range.
        pet_gain: factor on the calibration of the PET.
        pet_fwhm_mm: resolution of the PET.
        pet_counts: expected counts in a voxel of grey matter.
    """

    t1_gain: float = 1.0
    t1_offset: float = 0.0
    t1_noise: float = 0.03
    pet_gain: float = 1.0
    pet_fwhm_mm: float = 6.0
    pet_counts: float = 150.0


def scanner_of(site: str, *, seed: int, strength: float) -> Scanner:
    """The scanner pair of a site; at strength 0 all sites have the same."""
    usual = Scanner()
    key = hashlib.sha256(f"{seed}\0site\0{site}".encode()).digest()
    draws = strength * np.random.default_rng(list(key)).uniform(-1, 1, size=6)
    return Scanner(
        t1_gain=float(np.exp(0.25 * draws[0])),
        t1_offset=float(0.05 * draws[1]),
        t1_noise=usual.t1_noise * float(np.exp(0.15 * draws[2])),
        pet_gain=float(np.exp(0.15 * draws[3])),
        pet_fwhm_mm=usual.pet_fwhm_mm + 0.5 * float(draws[4]),
        pet_counts=usual.pet_counts * float(np.exp(0.15 * draws[5])),
    )
