"""A job whose process is ended again and again: it is recorded as failed, and the study goes on."""

from __future__ import annotations

from mmmed.pipelines.backends.errand import Errand
from mmmed.pipelines.endings import fail, is_over

DEATHS = 3
"""How many processes a job may lose."""
REASON = (
    f"the process that ran it was ended without a word {DEATHS} times; "
    "it may need more memory than there is"
)


def record(errand: Errand) -> None:
    """Write down that a job was given up."""
    if not is_over(errand.folder):
        fail(errand.folder, REASON)
