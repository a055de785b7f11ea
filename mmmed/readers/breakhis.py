"""The file names of BreakHis: what an image shows, of whom, and how much enlarged.

    SOB_<class>_<subtype>-<year>-<slide>-<magnification>-<sequence>.png (or jpg, jpeg, tif, tiff)

class          B benign, M malignant
slide          digits, some with letters that tell the blocks of one excision apart (21998AB)
patient        year and digits of the slide: one excision number is one person, whatever its subtype
magnification  of the objective's image: 40, 100, 200, 400
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mmmed.errors import DataError

CLASSES = {"B": "benign", "M": "malignant"}
SUBTYPES = {
    "A": "benign",
    "F": "benign",
    "PT": "benign",
    "TA": "benign",
    "DC": "malignant",
    "LC": "malignant",
    "MC": "malignant",
    "PC": "malignant",
}
"""Adenosis, fibroadenoma, phyllodes tumour, tubular adenoma; ductal, lobular, mucinous and
papillary carcinoma."""

MAGNIFICATIONS = (40, 100, 200, 400)

_NAME = re.compile(
    r"SOB_(?P<kind>[A-Z]+)_(?P<subtype>[A-Z]+)-(?P<year>\d{2})-(?P<number>\d+)(?P<block>[A-Z]*)"
    r"-(?P<magnification>\d+)-(?P<sequence>\d+)\.(?i:png|jpe?g|tiff?)"
)


@dataclass(frozen=True, order=True)
class BreakHisName:
    """One image.

    Attributes:
        subtype: `F`, `DC`, ...
        year: two digits, as written.
        number: of the excision.
        block: letters after the number; may be empty.
        magnification: 40, 100, 200 or 400.
        sequence: of the image within slide and magnification.
    """

    subtype: str
    year: str
    number: str
    block: str
    magnification: int
    sequence: int

    @property
    def diagnosis(self) -> str:
        """`benign` or `malignant`."""
        return SUBTYPES[self.subtype]

    @property
    def patient(self) -> str:
        """`14-21998` of `14-21998AB`."""
        return f"{self.year}-{self.number}"

    @property
    def slide(self) -> str:
        """`PT-14-21998AB`: a number may occur under two subtypes."""
        return f"{self.subtype}-{self.year}-{self.number}{self.block}"


def parse(name: str) -> BreakHisName | None:
    """What a file name says; None where it is no name of BreakHis.

    Raises:
        DataError: it is one that contradicts itself, or of a subtype or magnification there is not.
    """
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    kind, subtype = found["kind"], found["subtype"]
    if subtype not in SUBTYPES:
        raise DataError(f"{name}: no subtype {subtype!r}; allowed: {', '.join(SUBTYPES)}")
    if CLASSES.get(kind) != SUBTYPES[subtype]:
        raise DataError(f"{name}: {subtype} is {SUBTYPES[subtype]}, its class {kind!r} is not")
    magnification = int(found["magnification"])
    if magnification not in MAGNIFICATIONS:
        allowed = ", ".join(map(str, MAGNIFICATIONS))
        raise DataError(f"{name}: no magnification {magnification}; allowed: {allowed}")
    return BreakHisName(
        subtype=subtype,
        year=found["year"],
        number=found["number"],
        block=found["block"],
        magnification=magnification,
        sequence=int(found["sequence"]),
    )
