"""What the files of a series are called.

known     a series whose kind stands in its headers gets a BIDS name: `sub-.._ses-.._T1w`
other     every other series is named by its number and the words of protocols in its description,
          under `other/`: free text may name a person, and names of files go far
pseudonym subjects are named by a digest of Patient ID and issuer: it tells patients apart, and
          whoever has the IDs can compute it, so it does not make data anonymous; with a salt, who
          has that too
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mmmed.readers import entities
from mmmed.readers.dicom import sop_class, vocabulary
from mmmed.readers.dicom.header import Header
from mmmed.readers.dicom.index import Series
from mmmed.readers.entities import Entities

OTHER = "other"
"""The folder of series that BIDS has no name for."""

_PLACES = {"T1w": "anat", "T2w": "anat", "FLAIR": "anat", "pet": "pet"}
_NO_SCAN = re.compile(r"loc|scout|survey|pilot|mip|mpr\b|collection|screen|map|adc|dwi|dti|asl")
_T1 = r"(?<![a-z0-9])t1(?![0-9*])"
_CONTRASTS = {
    "FLAIR": re.compile(rf"^(?!.*{_T1}).*(flair|dark.?fluid)"),
    "T1w": re.compile(rf"{_T1}|mp.?rage|bravo|fspgr|spgr"),
    "T2w": re.compile(r"(?<![a-z0-9])t2(?![0-9*])"),
}
"""What a description of an MR series says that is of this contrast; the first that fits. A T1 FLAIR
is a T1w."""

_ECHO = re.compile(r"echo (\d+)")


@dataclass(frozen=True)
class Name:
    """Where a volume goes, but for its ending.

    Attributes:
        folder: inside the output.
        entities: of a BIDS name; None where the kind of the series is not known.
        stem: of another name.
    """

    folder: str
    entities: Entities | None
    stem: str = ""

    def with_ending(self, ending: str) -> str:
        """The path of a file, relative to the output."""
        if self.entities is None:
            return f"{self.folder}/{self.stem}{ending}"
        return f"{self.folder}/{entities.build(replace(self.entities, ending=ending))}"


def names(series: Sequence[Series], *, salt: bytes = b"") -> list[Name]:
    """A name for each series, none twice; the same for the same series in the same order.

    Args:
        series: of one folder.
        salt: of the pseudonyms; without it they are the same everywhere.
    """
    plain = [_name(one, salt) for one in series]
    count = Counter(one.with_ending("") for one in plain)
    met: Counter[str] = Counter()
    found = []
    for one in plain:
        path = one.with_ending("")
        met[path] += 1
        found.append(one if count[path] == 1 else _with(one, run=str(met[path])))
    return found


def siblings(name: Name, labels: Sequence[str]) -> list[Name]:
    """A name for each volume of a series, none twice: `b -1` and `b 1` read alike in a name."""
    plain = [_sibling(name, label) for label in labels]
    if len({one.with_ending("") for one in plain}) == len(plain):
        return plain
    return [_sibling(name, f"{label} v{place}") for place, label in enumerate(labels, start=1)]


def _sibling(name: Name, label: str) -> Name:
    """The name of one volume of several: `echo 2 phase` becomes `echo-2_part-phase`."""
    if not label:
        return name
    echo = _ECHO.search(label)
    rest = _ECHO.sub("", label)
    parts = {"echo": echo[1]} if echo else {}
    if "phase" in rest.split():
        parts["part"] = "phase"
        rest = rest.replace("phase", "")
    acquired = _alphanumeric(rest)
    return _with(name, **({"acq": acquired} if acquired else {}), **parts)


def _with(name: Name, **labels: str) -> Name:
    """A name with further entities, in the order of BIDS."""
    if name.entities is None:
        more = "".join(f"_{key}-{label}" for key, label in labels.items())
        return replace(name, stem=name.stem + more)
    merged = {**name.entities.others, **labels}
    order = ("acq", "trc", "rec", "run", "echo", "part")
    others = {key: merged[key] for key in order if key in merged}
    return replace(name, entities=replace(name.entities, others=others))


def _name(series: Series, salt: bytes) -> Name:
    first = series.headers[0]
    subject, session = _subject(first, salt), _session(first)
    suffix = kind(first)
    if suffix is None:
        number = "x" if first.number is None else str(first.number)
        words = "-".join(dict.fromkeys(vocabulary.words(first.description)))[:40].rstrip("-")
        words = words or _alphanumeric(first.modality.lower()) or "series"
        stem = f"{number}-{words}-{_digest(first.series)[:8]}"
        return Name(f"{OTHER}/sub-{subject}/ses-{session}", None, stem)
    folder = f"sub-{subject}/ses-{session}/{_PLACES[suffix]}"
    return Name(folder, Entities(subject, session, suffix, "", {}))


def kind(header: Header) -> str | None:
    """The BIDS suffix of a series, by its class and description; None where they do not say."""
    name = sop_class.name(header.sop_class)
    if "PET" in name or "Positron" in name:
        return "pet"
    words = header.description.lower().replace("_", " ")
    if "MR" not in name or _NO_SCAN.search(words):
        return None
    return next((one for one, said in _CONTRASTS.items() if said.search(words)), None)


def _subject(header: Header, salt: bytes) -> str:
    """Ten letters and digits that stand for the patient; for the study where there is no ID."""
    known = header.identity or _digest(header.study)
    return (hmac.new(salt, known.encode(), "sha256").hexdigest() if salt else known)[:10]


def _session(header: Header) -> str:
    """The date of the study: studies of one day are one session."""
    return header.date or f"u{_digest(header.study)[:8]}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _alphanumeric(text: str) -> str:
    return "".join(one for one in text if one.isascii() and one.isalnum())
