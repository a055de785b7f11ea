"""One series as it is to be written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from pydicom.uid import UID, ExplicitVRLittleEndian


@dataclass(frozen=True)
class Order:
    """A series and all that stands in its files.

    Attributes:
        patient: Patient ID.
        study: Study Instance UID.
        uid: Series Instance UID.
        folder: where its files go, relative to the hospital.
        values: (i, j, k) int16, stored values in the orientation of `affine`.
        affine: (4, 4) voxel index to MNI mm, RAS, without rotation.
        attributes: keyword -> value, the same in every file.
        isotope: keyword -> value of the radiopharmaceutical; empty for MR.
        private: Philips' elements -> value; empty for others.
        groups: of an enhanced MR, what its functional groups say.
        slope: of the rescale, as it is written.
        intercept: the same.
        syntax: how the pixels are encoded.
        enhanced: all slices in one file.
        suv: SUVbw per rescaled value; None where it must be refused or is no PET.
        source: the BIDS file with the same values; "" for none.
        expected: `ok`, `refused` or `unreadable`, of the volume.
        chosen: the modality that the usual rules choose it for; "" for none.
        why: words of the reason why it is not chosen; "" where it is.
        reason: what is special, for the truth.
    """

    patient: str
    study: str
    uid: str
    folder: str
    values: np.ndarray
    affine: np.ndarray
    attributes: Mapping[str, Any]
    isotope: Mapping[str, str]
    private: Mapping[int, str]
    groups: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    slope: str = "1"
    intercept: str = "0"
    syntax: UID = ExplicitVRLittleEndian
    enhanced: bool = False
    suv: float | None = None
    source: str = ""
    expected: str = "ok"
    chosen: str = ""
    why: str = ""
    reason: str = ""
