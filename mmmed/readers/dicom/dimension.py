"""What may tell two frames at one position apart, and how it is called.

Listed in the order in which it is tried: what was meant to differ comes before what differs by
chance. A dimension is used only where positions repeat and it explains every repetition.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Dimension:
    """One of them.

    Attributes:
        name: the attribute, as the standard calls it, or ours where it is private or computed.
        word: what a value is shown as: `echo 2`.
        tags: where a classic file holds it; the first that is there counts.
        shown: whether the value itself is shown; else its rank among the values.
    """

    name: str
    word: str
    tags: tuple[int, ...] = ()
    shown: bool = False


LATERAL = "Lateral"
"""Where a slice lies within its own plane, mm: stations beside one another share an orientation."""

IMAGE_TYPE = "ImageType"

DIMENSIONS = (
    Dimension(LATERAL, "station"),
    Dimension("StackID", "stack", (0x00209056,)),
    Dimension("ComplexImageComponent", "", (0x00089208,), shown=True),
    Dimension(IMAGE_TYPE, "", (0x00080008,), shown=True),
    Dimension("EchoNumbers", "echo", (0x00180086,)),
    Dimension("EchoTime", "echo", (0x00180081,)),
    Dimension("InversionTime", "inversion", (0x00180082,)),
    Dimension("FlipAngle", "flip angle", (0x00181314,)),
    Dimension("BValue", "b", (0x00189087, 0x0019100C, 0x20011003, 0x00431039, 0x00651009), True),
    Dimension("GradientOrientation", "direction", (0x00189089, 0x0019100E)),
    Dimension("TemporalPositionIndex", "frame", (0x00209128,)),
    Dimension("TemporalPositionIdentifier", "frame", (0x00200100,)),
    Dimension("FrameReferenceTime", "frame", (0x00541300,)),
    Dimension("TriggerTime", "phase", (0x00209153, 0x00181060)),
    Dimension("AcquisitionNumber", "acquisition", (0x00200012,)),
    Dimension("AcquisitionDateTime", "frame", (0x0008002A,)),
    Dimension("AcquisitionTime", "frame", (0x00080032,)),
    Dimension("ContentTime", "frame", (0x00080033,)),
    Dimension("ReceiveCoilName", "coil", (0x00181250,)),
    *(Dimension(f"Index{place}", "index") for place in range(1, 9)),
)

TAGS = frozenset(tag for one in DIMENSIONS for tag in one.tags)

_COMPONENTS = {
    "M": "magnitude",
    "MAGNITUDE": "magnitude",
    "P": "phase",
    "PHASE": "phase",
    "R": "real",
    "REAL": "real",
    "I": "imaginary",
    "IMAGINARY": "imaginary",
}


def labels(dimension: Dimension, values: Sequence[str]) -> Mapping[str, str]:
    """Value -> what a stack of that value is called; `values` are distinct and in order."""
    if dimension.name == IMAGE_TYPE:
        return _told_apart(values)
    if dimension.shown:
        return {
            value: " ".join(filter(None, (dimension.word, _COMPONENTS.get(value, _plain(value)))))
            for value in values
        }
    return {value: f"{dimension.word} {rank}" for rank, value in enumerate(values, start=1)}


def in_order(values: Sequence[str]) -> list[str]:
    """Distinct values by size where all are numbers, else by their text."""
    distinct = sorted(set(values))
    try:
        return sorted(distinct, key=float)
    except ValueError:
        return distinct


def _told_apart(values: Sequence[str]) -> Mapping[str, str]:
    """Image types by the words that not all of them hold."""
    words = {value: value.split("\\") for value in values}
    common = set.intersection(*map(set, words.values()))
    return {
        value: " ".join(_COMPONENTS.get(word, _plain(word)) for word in own if word not in common)
        or "plain"
        for value, own in words.items()
    }


def _plain(text: str) -> str:
    """A text from a file as one printable line of bounded length."""
    return "".join(letter if letter.isprintable() else " " for letter in text)[:40].strip()
