"""What a PET is truly expected to tell of the label, given the MRI of one simulated case, in bits.

Given the label and the MRI burden, the PET burden is normal; the label's entropy now less its mean
entropy once the PET burden is known is an integral over a line per label, taken by Gauss-Hermite
quadrature. 64 and 128 nodes differ by less than 1e-4 bits in the laws of the tests.
The log-odds now may know covariates: given label and MRI burden they tell nothing of the PET,
except in a law with a subgroup, for which nothing is stated.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from pydantic import TypeAdapter
from scipy.special import expit, log_expit

from mmmed.simulation.law import Law

NODES = 64
STATED = ("gaussian", "redundant", "synergy")
"""Kinds of law for which it is stated."""


def expected_bits(truth: Mapping[str, Any], *, nodes: int = NODES) -> dict[str, float]:
    """Case -> bits, from `truth.json`; empty where the law is none of `STATED`.

    Args:
        truth: its plain values.
        nodes: of the quadrature.
    """
    stated = truth.get("law")
    if not isinstance(stated, Mapping) or stated.get("kind") not in STATED:
        return {}
    law: Law = TypeAdapter(Law).validate_python(stated)
    cases = truth["cases"]
    burden = np.array([record["z_mri"] for record in cases.values()])
    odds = np.array([record["log_odds"]["mri"] for record in cases.values()])
    bits = _bits(law, burden, odds, nodes)
    return {case: float(one) for case, one in zip(cases, bits, strict=True)}


def _bits(law: Law, burden: np.ndarray, odds: np.ndarray, nodes: int) -> np.ndarray:
    """(n,) bits at MRI burdens and log-odds (n,)."""
    place, spread = zip(*(_pet_given_mri(law, label, burden) for label in (0, 1)), strict=True)
    point, weight = np.polynomial.hermite_e.hermegauss(nodes)
    weight = weight / weight.sum()
    left = np.zeros(len(burden))
    for label, chance in enumerate((expit(-odds), expit(odds))):
        pet = place[label][:, None] + spread[label] * point  # (n, nodes)
        logs = [
            -0.5 * ((pet - place[each][:, None]) / spread[each]) ** 2 - np.log(spread[each])
            for each in (0, 1)
        ]
        left += chance * (_entropy(odds[:, None] + logs[1] - logs[0]) @ weight)
    return np.asarray(np.maximum(0.0, _entropy(odds) - left))


def _pet_given_mri(law: Law, label: int, burden: np.ndarray) -> tuple[np.ndarray, float]:
    """Mean (n,) and standard deviation of the PET burden."""
    component = law.component(label, False)
    mean, covariance = component.mean, component.covariance
    slope = covariance[0, 1] / covariance[0, 0]
    variance = covariance[1, 1] - slope * covariance[0, 1]
    return mean[1] + slope * (burden - mean[0]), float(np.sqrt(variance))


def _entropy(odds: np.ndarray) -> np.ndarray:
    """Of a label with these log-odds, in bits."""
    told = expit(odds) * log_expit(odds) + expit(-odds) * log_expit(-odds)
    return np.asarray(-told / np.log(2))
