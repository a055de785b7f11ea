"""What may tell two frames at one position apart, and how it is called.

Listed in the order in which it is tried: what was meant to differ comes before what differs by
chance. A dimension is used only where positions repeat and it explains every repetition.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mmmed.readers.dicom.elements import Elements
from mmmed.readers.dicom.private import Private
from mmmed.readers.dicom.quantity import decimals, of_bytes


@dataclass(frozen=True)
class Source:
    """Where a classic file states a dimension.

    Attributes:
        place: a tag, or a private element.
        kind: `text`; `decimal`, numbers written as text; `d`, `f`, `I` or `h`, numbers in bytes as
            `struct` calls them.
    """

    place: int | Private
    kind: str = "text"

    @property
    def tags(self) -> frozenset[int]:
        """What must be read for it."""
        return self.place.tags if isinstance(self.place, Private) else frozenset({self.place})

    def value(self, elements: Elements) -> str:
        """What a file states, spelled in one way; '' where it states nothing."""
        place = self.place
        if isinstance(place, Private):
            raw = place.value(elements)
        else:
            raw = elements.values.get(place, b"")
        text = raw.decode("latin-1").strip(" \0")
        if self.kind == "text":
            return text
        if self.kind == "decimal":
            return decimals(text)
        return of_bytes(raw, self.kind, syntax=elements.syntax) or decimals(text)


@dataclass(frozen=True)
class Dimension:
    """One of them.

    Attributes:
        name: the attribute, as the standard calls it, or ours where it is private or computed.
        word: what a value is shown as: `echo 2`.
        sources: where a classic file holds it; the first that is there counts. None where enhanced
            files alone have it.
        shown: whether the value itself is shown; else its rank among the values.
    """

    name: str
    word: str
    sources: tuple[Source, ...] = ()
    shown: bool = False


LATERAL = "Lateral"
"""Where a slice lies within its own plane, mm: stations beside one another share an orientation."""

STACK = "StackID"
IMAGE_TYPE = "ImageType"
B_VALUE = "BValue"
RAW_DATA_TYPE = "RawDataType"

_SIEMENS, _UNITED_IMAGING = "SIEMENS MR HEADER", "Image Private Header"
_PHILIPS, _GE = "Philips Imaging DD 001", "GEMS_PARM_01"

DIMENSIONS = (
    Dimension(LATERAL, "station"),
    Dimension(STACK, "stack", (Source(0x00209056),)),
    Dimension("ComplexImageComponent", "", (Source(0x00089208),), shown=True),
    Dimension(IMAGE_TYPE, "", (Source(0x00080008),), shown=True),
    Dimension(RAW_DATA_TYPE, "", (Source(Private(_GE, 0x0043, 0x2F), "h"),), shown=True),
    Dimension("EchoNumbers", "echo", (Source(0x00180086, "decimal"),)),
    Dimension("EchoTime", "echo", (Source(0x00180081, "decimal"),)),
    Dimension("InversionTime", "inversion", (Source(0x00180082, "decimal"),)),
    Dimension("FlipAngle", "flip angle", (Source(0x00181314, "decimal"),)),
    Dimension(
        B_VALUE,
        "b",
        (
            Source(0x00189087, "d"),
            Source(Private(_SIEMENS, 0x0019, 0x0C), "decimal"),
            Source(Private(_PHILIPS, 0x2001, 0x03), "f"),
            Source(Private(_GE, 0x0043, 0x39)),
            Source(Private(_UNITED_IMAGING, 0x0065, 0x09), "d"),
        ),
        shown=True,
    ),
    Dimension(
        "GradientOrientation",
        "direction",
        (
            Source(0x00189089, "d"),
            Source(Private(_SIEMENS, 0x0019, 0x0E), "d"),
            Source(Private(_UNITED_IMAGING, 0x0065, 0x37), "d"),
        ),
    ),
    Dimension("ASLContext", "", shown=True),
    Dimension("VelocityEncodingDirection", "velocity"),
    Dimension("VelocityEncodingMaximumValue", "velocity"),
    Dimension("TubeVoltage", "kV", (Source(0x00180060, "decimal"),), shown=True),
    Dimension("TemporalPositionIndex", "frame", (Source(0x00209128, "I"),)),
    Dimension("TemporalPositionIdentifier", "frame", (Source(0x00200100, "decimal"),)),
    Dimension("TemporalPositionTimeOffset", "frame"),
    Dimension("FrameReferenceTime", "frame", (Source(0x00541300, "decimal"),)),
    Dimension("TriggerTime", "gate", (Source(0x00209153, "d"), Source(0x00181060, "decimal"))),
    Dimension("RespiratoryTriggerDelayTime", "gate"),
    Dimension("AcquisitionNumber", "acquisition", (Source(0x00200012, "decimal"),)),
    Dimension("AcquisitionDateTime", "frame", (Source(0x0008002A),)),
    Dimension("AcquisitionTime", "frame", (Source(0x00080032),)),
    Dimension("ContentTime", "frame", (Source(0x00080033),)),
    Dimension("ReceiveCoilName", "coil", (Source(0x00181250),)),
    *(Dimension(f"Index{place}", "index") for place in range(1, 9)),
)

TAGS = frozenset(tag for one in DIMENSIONS for source in one.sources for tag in source.tags)

_SOURCES = [(one.name, source) for one in DIMENSIONS for source in one.sources]
_PLACES = {
    tag: [place for place, (_, source) in enumerate(_SOURCES) if tag in source.tags] for tag in TAGS
}
"""Tag -> which sources it belongs to: a file states few of them, and there are many files."""

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

_RAW_DATA_TYPES = {"0": "magnitude", "1": "phase", "2": "real", "3": "imaginary"}
"""GE's own element."""

_GE_OFFSET = 10**9
"""GE adds this to the b-value of some images."""

_GE_DIGITS = 12
"""A number of more digits is no b-value, with or without it."""


def dimensions(elements: Elements) -> dict[str, str]:
    """What a classic file states of what may tell frames at one position apart."""
    found: dict[str, str] = {}
    stated = _PLACES.keys() & elements.values.keys()
    for place in sorted({one for tag in stated for one in _PLACES[tag]}):
        name, source = _SOURCES[place]
        if name not in found and (value := source.value(elements)):
            found[name] = _meant(name, value)
    return found


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


def _meant(name: str, value: str) -> str:
    """What a vendor's number means."""
    if name == RAW_DATA_TYPE:
        return _RAW_DATA_TYPES.get(value, value)
    if name == B_VALUE:
        first = value.split("\\")[0]  # of GE's, others follow that are no b-values
        known = first.isdecimal() and len(first) <= _GE_DIGITS
        return f"{float(first) % _GE_OFFSET:g}" if known else first
    return value


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
