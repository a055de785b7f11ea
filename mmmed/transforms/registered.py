"""What a registration left: the map, and whether the scan may be used."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mmmed.transforms.quality import Quality


@dataclass(frozen=True)
class Registered:
    """A scan's place in the template's space.

    Attributes:
        matrix: (4, 4) mm of the scan -> mm of the template.
        quality: the checks of the scan in that place.
    """

    matrix: np.ndarray
    quality: Quality

    @property
    def words(self) -> str:
        """What the record says."""
        similarity = self.quality.values["similarity"]
        return f"affine, {self.quality.verdict}, similarity {similarity:.3f}"
