"""The grammar of a proof within a run: `verify:` of a study."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mmmed.config import Spec


class Verify(Spec):
    """That a run proves, before its report is written, that hidden scans were not used.

    Attributes:
        retrain: jobs that are trained again, one method after the other; none but predicts again.
    """

    retrain: Annotated[int, Field(ge=0)] = 1
