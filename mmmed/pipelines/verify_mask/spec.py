"""What a study may ask for in this matter."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mmmed.config import Spec


class VerifyMask(Spec):
    """Prove, before the report is written, that hidden scans were not used.

    Attributes:
        retrain: jobs that are trained again, one method after the other.
    """

    retrain: Annotated[int, Field(ge=0)] = 1
