"""What kind of object a DICOM file is, by its SOP Class UID.

SOP class   what a file claims to be: a UID of DICOM PS3.6, or a vendor's own
family      classes that are treated alike; `VOLUME` is read, all others are set aside with their
            sentence

A class that is not in the table belongs to the family of the longest UID above it, so that members
which later editions of the standard add are still told from images.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from pydicom.config import IGNORE
from pydicom.uid import UID


@dataclass(frozen=True)
class Family:
    """SOP classes that are treated alike.

    Attributes:
        code: one word, the same in every language and release.
        text: what such an object is.
    """

    code: str
    text: str


VOLUME = Family("volume", "slices or frames of a CT, MR or PET volume")

_STANDARD = "1.2.840.10008."
_STORAGE = "1.2.840.10008.5.1.4.1.1."

_VOLUMES = ("2", "2.1", "2.2", "4", "4.1", "4.4", "128", "128.1", "130")
"""CT, MR and PET: classic, enhanced, legacy converted enhanced."""

_OTHERS: Mapping[Family, tuple[str, ...]] = {
    Family("x-ray", "an X-ray projection"): ("1", "12", "13.1.4", "13.1.5"),
    Family("x-ray-volume", "a volume of an X-ray arm or of tomosynthesis"): ("13",),
    Family("ultrasound", "ultrasound"): ("3", "6"),
    Family("spectroscopy", "MR spectra"): ("4.2",),
    Family("colour", "an image in colour"): ("4.3",),
    Family("nuclear-medicine", "planar or SPECT nuclear medicine"): ("5", "20"),
    Family("secondary-capture", "a secondary capture (screen shot, scan of a film, export)"): (
        "7",
    ),
    Family("waveform", "a waveform or curve"): ("9", "129"),
    Family("presentation-state", "how images are to be shown (presentation state, overlay)"): (
        "8",
        "10",
        "11",
        "131",
    ),
    Family("optical-tomography", "optical coherence tomography"): ("14",),
    Family("parametric-map", "a parametric map"): ("30",),
    Family("raw-data", "raw data of a scanner"): ("66",),
    Family("registration", "a spatial registration"): ("66.1", "66.3"),
    Family("fiducials", "spatial fiducials"): ("66.2",),
    Family("segmentation", "a segmentation"): ("66.4", "66.5"),
    Family("tractography", "tractography results"): ("66.6",),
    Family("value-mapping", "a mapping of real-world values"): ("67",),
    Family("surface", "a surface scan"): ("68",),
    Family("photograph", "a photograph, video or endoscopy"): ("77",),
    Family("slide-microscopy", "slide microscopy"): ("77.1.2", "77.1.3", "77.1.6", "77.1.8",
                                                     "77.1.9", "91"),
    Family("ophthalmic", "an ophthalmic image or measurement"): (
        "77.1.5",
        "78",
        "79",
        "80",
        "81",
        "82",
    ),
    Family("report", "a structured report"): ("88", "90"),
    Family("key-objects", "a selection of key objects"): ("88.59",),
    Family("document", "an encapsulated document"): ("104",),
    Family("protocol", "a scan or procedure protocol"): ("200",),
    Family("inventory", "an inventory of an archive"): ("201",),
    Family("radiotherapy", "an object of radiotherapy (structures, plan, dose, record)"): ("481",),
    Family("non-medical", "an image of security or material inspection"): ("501", "601"),
}  # fmt: skip

_ELSEWHERE: Mapping[Family, tuple[str, ...]] = {
    Family("directory", "a DICOMDIR, which lists other files; those are read themselves"): (
        "1.2.840.10008.1.3.10",
    ),
    Family("print", "an object for printing"): ("1.2.840.10008.5.1.1",),
    Family("radiotherapy", "an object of radiotherapy (structures, plan, dose, record)"): (
        "1.2.840.10008.5.1.4.34",
    ),
    Family("display", "a hanging protocol or palette"): (
        "1.2.840.10008.5.1.4.38",
        "1.2.840.10008.5.1.4.39",
    ),
    Family("implant", "a template of an implant"): (
        "1.2.840.10008.5.1.4.43",
        "1.2.840.10008.5.1.4.44",
        "1.2.840.10008.5.1.4.45",
    ),
}

_UNKNOWN = Family("unknown-class", "of a SOP class that is not known here")
_PRIVATE = Family("private-class", "of a vendor's own SOP class")

_EXACT: Mapping[str, Family] = MappingProxyType({_STORAGE + one: VOLUME for one in _VOLUMES})
_ABOVE: Mapping[str, Family] = MappingProxyType(
    {_STORAGE + one: family for family, ends in _OTHERS.items() for one in ends}
    | {uid: family for family, uids in _ELSEWHERE.items() for uid in uids}
)


@lru_cache(maxsize=1024)
def family(uid: str) -> Family:
    """The family of a SOP Class UID."""
    if uid in _EXACT:
        return _EXACT[uid]
    above = uid
    while above:
        if above in _ABOVE:
            return _ABOVE[above]
        above = above.rpartition(".")[0]
    return _UNKNOWN if uid.startswith(_STANDARD) else _PRIVATE


@lru_cache(maxsize=1024)
def name(uid: str) -> str:
    """The standard's name of a SOP Class UID; the UID where it has none."""
    return str(UID(uid, validation_mode=IGNORE).name)
