"""`model.json`: everything about a model package but its weights."""

from __future__ import annotations

import hashlib
import json
import logging
import platform
from collections.abc import Collection, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version
from pydantic import ValidationError

from mmmed import __version__
from mmmed.config import Spec
from mmmed.errors import RunError
from mmmed.modality import ItemKind, Modality
from mmmed.record import atomic, digest
from mmmed.transforms.chain import Chain

NAME = "model.json"
FORMAT = 1
"""Raised when an older program could misread the package."""

VERSIONED = ("torch", "monai", "numpy", "nibabel", "nilearn", "pillow", "safetensors")

logger = logging.getLogger(__name__)


class Shape(Spec):
    """A modality the model was built for."""

    name: str
    kind: ItemKind
    shape: tuple[int, ...]

    @property
    def modality(self) -> Modality:
        """As models know it."""
        return Modality(self.name, self.kind, self.shape)


class Preparation(Spec):
    """How the items of a modality are prepared.

    Attributes:
        chain: the steps.
        digest: of what decides the prepared bytes.
    """

    chain: Chain
    digest: str


class Subjects(Spec):
    """Whom the package must not be tested on, as salted SHA-256 of subject ids.

    Attributes:
        salt: of this package.
        parts: part -> hashes.
    """

    salt: str
    parts: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, parts: Mapping[str, Collection[str]], *, salt: str) -> Subjects:
        """From the subjects of each part."""
        return cls(
            salt=salt,
            parts={
                part: tuple(sorted({_hashed(one, salt) for one in subjects}))
                for part, subjects in parts.items()
            },
        )

    def part(self, subject: str) -> str | None:
        """The part a subject was in; None where the package has not met it."""
        mine = _hashed(subject, self.salt)
        return next((part for part, known in self.parts.items() if mine in known), None)


class Manifest(Spec):
    """What a package says of itself.

    Attributes:
        format: of the package.
        method: options, `kind` among them.
        modalities: in the order of every batch.
        classes: names, in the order of the logits.
        positive: the class the threshold is about.
        seed: of the job.
        fold: of the job.
        train: its training, by name: `complete`, or what was hidden and how often.
        study: the resolved study.
        reading: how the cohort's files are found, without their folder.
        preparation: modality -> its chain.
        dicom: how a folder of DICOM is read: which series, and which scans make one case; None
            where the chains take no scan as acquired.
        calibration: logits to probabilities.
        conformal: probabilities to sets.
        threshold: probability to decision; None where the most probable class is decided for.
        counterfactual: modality -> what is known of it where a case lacks it alone; None where
            the package says nothing of that.
        threads: torch threads of the process that made it; the same number gives the same bits.
        performance: rows of results of the run that made it.
        statistics: modality -> distances and ranges; mean and precision lie beside the weights.
        subjects: whom it has met.
        tuning: how its settings were chosen: trials, figure, which one, its settings and figures;
            None where they are the study's own.
        versions: program -> version it was trained with.
        weights: SHA-256 of the file of weights.
        digest: SHA-256 of all other keys.
    """

    format: int
    method: dict[str, Any]
    modalities: tuple[Shape, ...]
    classes: tuple[str, ...]
    positive: str | None
    seed: int
    fold: str
    train: str
    study: dict[str, Any]
    reading: dict[str, Any]
    preparation: dict[str, Preparation]
    dicom: dict[str, Any] | None
    calibration: dict[str, Any]
    conformal: dict[str, Any]
    threshold: dict[str, Any] | None
    threads: int
    performance: tuple[dict[str, Any], ...]
    statistics: dict[str, dict[str, Any]]
    subjects: Subjects
    tuning: dict[str, Any] | None = None
    versions: dict[str, str]
    weights: str
    counterfactual: dict[str, dict[str, Any]] | None = None
    digest: str = ""

    @property
    def kind(self) -> str:
        """Which method it is."""
        return str(self.method["kind"])

    @property
    def name(self) -> str:
        """What its study calls the method."""
        return str(self.method["name"])

    @property
    def mirror(self) -> frozenset[str]:
        """The modalities whose mirrored items are averaged in."""
        return frozenset(name for name, one in self.preparation.items() if one.chain.mirror)

    def save(self, folder: Path) -> None:
        """Write `model.json`, with its own digest."""
        values = self.model_dump(mode="json", exclude={"digest"})
        atomic.write_json(folder / NAME, {**values, "digest": digest.of_value(values)})


def read(folder: Path) -> Manifest:
    """The manifest of a package; one line of warning where it was written with other versions.

    Raises:
        RunError: it is missing, of a newer format or mmmed, or not as it was written.
    """
    path = folder / NAME
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        written = int(values["format"])
    except OSError as error:
        raise RunError(f"{path}: {error.strerror}; name the folder of a model package") from error
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path}: is damaged; take the package again from its source") from error
    if written > FORMAT:
        raise RunError(
            f"{path}: written by a newer mmmed (package format {written}; this program reads "
            f"{FORMAT}); update mmmed"
        )
    stated = values.pop("digest", None)
    if stated != digest.of_value(values):
        raise RunError(f"{path}: was changed after it was written; take the package again")
    _refuse_newer(path, values)
    try:
        known = Manifest(**values, digest=stated)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise RunError(f"{path}: {key}: {first['msg']}; save the package again") from error
    _warn_of_others(path, known.versions)
    return known


def versions() -> dict[str, str]:
    """Program -> version, of all that a prediction depends on."""
    return {
        "mmmed": __version__,
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in VERSIONED},
    }


def _refuse_newer(path: Path, values: Mapping[str, Any]) -> None:
    """Raise where a newer mmmed wrote the package: what it says may mean something else here."""
    try:
        written = Version(values["versions"]["mmmed"])
    except (KeyError, TypeError, InvalidVersion) as error:
        raise RunError(
            f"{path}: versions.mmmed: is no version; take the package again from its source"
        ) from error
    if written > Version(__version__):
        raise RunError(
            f"{path}: written by a newer mmmed ({written}; this program is {__version__}); "
            "update mmmed"
        )


def _warn_of_others(path: Path, written: Mapping[str, str]) -> None:
    here = versions()
    others = [
        f"{name} {version} (here {here[name]})"
        for name, version in written.items()
        if name in here and here[name] != version
    ]
    if others:
        logger.warning(
            "%s: written with %s; its predictions may differ in the last digits",
            path,
            ", ".join(others),
        )


def _hashed(subject: str, salt: str) -> str:
    return hashlib.sha256(f"{salt}\0{subject}".encode()).hexdigest()[:32]
