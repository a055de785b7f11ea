"""What is not read, and why: one line for a file, or for a series as a whole.

set-aside    understood, and no slice of a volume: a report, a DICOMDIR, a file that is no DICOM
refused      images that cannot be read rightly
unreadable   what cannot be understood at all: damaged, without permission, without its UIDs
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["set-aside", "refused", "unreadable"]


@dataclass(frozen=True)
class Aside:
    """A file, folder or series that is not read.

    Attributes:
        path: relative to the folder that was read, printable.
        verdict: see above.
        code: the reason in one word.
        text: the reason in one line.
        sop_class: SOP Class UID, or empty.
        study: Study Instance UID, or empty.
        series: Series Instance UID, or empty.
        modality: `MR`, ..., or empty.
    """

    path: str
    verdict: Verdict
    code: str
    text: str
    sop_class: str = ""
    study: str = ""
    series: str = ""
    modality: str = ""
