"""The JSON beside an image, and whether it declares the template's space."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mmmed.errors import DataError
from mmmed.readers import entities
from mmmed.readers.entities import VOLUME_ENDINGS

LARGEST = 4 << 20
"""Bytes of the largest sidecar read; real ones are below 100 KiB."""

SPACE = "MNI152"
"""What a declared space begins with, as sidecars and names of the template's family write it."""


SUV_UNITS = ("SUV", "SUVbw", "g/mL", "g/ml")
"""How sidecars write the standardised uptake value by body weight."""


def sidecar_path(image: Path) -> Path:
    """Where the sidecar of an image stands: the same name with `.json`."""
    for ending in VOLUME_ENDINGS:
        if image.name.endswith(ending):
            return image.with_name(image.name.removesuffix(ending) + ".json")
    return image.with_suffix(".json")


def read_sidecar(path: Path) -> dict[str, Any]:
    """The sidecar of an image; empty where there is none.

    Args:
        path: of the image.

    Raises:
        DataError: the sidecar is too large, no JSON, or no object.
    """
    place = sidecar_path(path)
    try:
        with place.open("rb") as file:
            text = file.read(LARGEST + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise DataError(f"{place}: cannot be read ({error.strerror})") from error
    if len(text) > LARGEST:
        raise DataError(f"{place}: larger than {LARGEST} bytes; this is no sidecar")
    try:
        value = json.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{place}: is no JSON ({error})") from error
    if not isinstance(value, dict):
        raise DataError(f"{place}: an object is expected at the top")
    return value


def declared_space(path: Path) -> str | None:
    """The template space that an image declares, and by what: `sidecar MNI152NLin2009aSym`.

    The sidecar's `SpatialReference` counts, else the `space-` entity of the name. None where
    neither names a space of the MNI152 family.
    """
    reference = read_sidecar(path).get("SpatialReference")
    if isinstance(reference, str) and reference.startswith(SPACE):
        return f"sidecar {reference}"
    try:
        space = entities.parse_derivative(path.name).others.get("space", "")
    except DataError:
        return None
    return f"name {space}" if space.startswith(SPACE) else None


def declares_suv(path: Path) -> bool:
    """Whether the sidecar of an image states its values as SUVbw, which is in g/mL."""
    return read_sidecar(path).get("Units") in SUV_UNITS


def told_derivation(path: Path) -> dict[str, Any] | None:
    """The derivation record that the sidecar of an image keeps under `SUV`; None without one."""
    said = read_sidecar(path).get("SUV")
    return said if isinstance(said, dict) else None
