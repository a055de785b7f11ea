"""BIDS file names, both ways.

entity   one `key-value` part of a name: `sub-001`, `ses-M000`, `trc-18FFDG`
suffix   the last part, which says what the file is: `T1w`, `pet`

A label is text and nothing else: it is compared and printed, never joined to a path.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from mmmed.errors import DataError

VOLUME_ENDINGS = (".nii.gz", ".nii")
SOURCE_SUFFIXES = ("T1w", "T2w", "FLAIR", "flair", "pet")
"""Suffixes that derivatives keep in the middle of their names: `_T1w_space-MNI152..._T1w`."""

_ENTITY = re.compile(r"(?P<key>[A-Za-z0-9]+)-(?P<label>[^-_/\\]+)")
_SUFFIX = re.compile(r"[A-Za-z0-9]+")
_ENDING = re.compile(r"\.(nii\.gz|[A-Za-z0-9]+)")
_LABEL = re.compile(r"[A-Za-z0-9]+")


@dataclass(frozen=True)
class Entities:
    """What a BIDS name says.

    Attributes:
        subject: the label after `sub-`.
        session: the label after `ses-`; None in a tree without sessions.
        suffix: `T1w`, `pet`, ...
        ending: `.nii.gz`, `.json`, ...
        others: every further entity, in the order of the name.
    """

    subject: str
    session: str | None
    suffix: str
    ending: str
    others: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def case(self) -> str:
        """The case a file belongs to: `sub-001_ses-M000` or `sub-001`."""
        return case_id(self.subject, self.session)


def case_id(subject: str, session: str | None) -> str:
    """`sub-001_ses-M000`, or `sub-001` without sessions; labels come without their prefix."""
    return f"sub-{subject}" if session is None else f"sub-{subject}_ses-{session}"


def parse(name: str) -> Entities:
    """The entities of a file name.

    Raises:
        DataError: the name is not `sub-<label>[_<key>-<label>...]_<suffix>.<ending>`.
    """
    stem, dot, rest = name.partition(".")
    ending = dot + rest
    *parts, suffix = stem.split("_")
    matches = [_ENTITY.fullmatch(part) for part in parts]
    found = {match["key"]: match["label"] for match in matches if match}
    well_formed = len(found) == len(parts) and next(iter(found), None) == "sub"
    if not (well_formed and _SUFFIX.fullmatch(suffix) and _ENDING.fullmatch(ending)):
        raise DataError(f"{name}: is no BIDS name; write sub-<label>_..._<suffix>.<ending>")
    subject = found.pop("sub")
    session = found.pop("ses", None)
    return Entities(subject, session, suffix, ending, MappingProxyType(found))


def parse_derivative(name: str) -> Entities:
    """The entities of the name of a processed image, which may keep the suffix of its source.

    Raises:
        DataError: the name is no BIDS name even without `_T1w` or `_pet` in its middle.
    """
    stem, dot, ending = name.partition(".")
    *parts, suffix = stem.split("_")
    kept = [part for part in parts if part not in SOURCE_SUFFIXES]
    return parse("_".join([*kept, suffix]) + dot + ending)


def build(entities: Entities) -> str:
    """The file name of these entities.

    Raises:
        DataError: a label holds other than letters and digits (strict, unlike `parse`).
    """
    pairs = {"sub": entities.subject}
    if entities.session is not None:
        pairs["ses"] = entities.session
    pairs.update(entities.others)
    for key, label in pairs.items():
        if not _LABEL.fullmatch(label):
            raise DataError(f"{key}-{label}: a BIDS label holds letters and digits only")
    return "_".join([*(f"{key}-{label}" for key, label in pairs.items()), entities.suffix]) + (
        entities.ending
    )
