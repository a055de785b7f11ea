"""What reading a source gave, before any step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mmmed.transforms.raster import Raster


@dataclass(frozen=True)
class Read:
    """A volume or image as it was read.

    Attributes:
        raster: the values; of a DICOM PET, times the factor of its derivation.
        suv: they are SUVbw.
        words: what the reader did, for the record.
        derivation: the derivation record of a DICOM PET, as plain values.
    """

    raster: Raster
    suv: bool = False
    words: tuple[str, ...] = ()
    derivation: Mapping[str, Any] | None = None
