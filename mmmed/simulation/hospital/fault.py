"""Faults: what goes wrong between a scanner and a disk, each planted in a series of its own.

A fault is a function from the files of a sound series to the files that are left of it.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from mmmed.simulation.hospital.files import coronal, encoded, slices
from mmmed.simulation.hospital.identity import uid
from mmmed.simulation.hospital.order import Order

Files = dict[str, bytes]
"""Name -> content."""

TILT = 0.25
"""Millimetres that a tilted slice is displaced per millimetre along the normal."""


@dataclass(frozen=True)
class Fault:
    """A fault and what must come out of it.

    Attributes:
        series: `mri`, `pet` or `ct`: what it is planted in.
        files: what is left of the series.
        expected: `ok`, `refused`, `unreadable` or `tilt` (resampled or refused), of the volume.
        aside: names of files that must be set aside or are unreadable, and which of both.
        suv: whether SUVbw can still be derived.
        whole: whether the volume is that of the sound series.
        change: what is different in every header.
        why: words of the reason why the series is not chosen; "" where the fault does not show in
            headers, and it is chosen as the sound one is.
        reason: for the truth.
    """

    series: str
    files: Callable[[Order], Files]
    expected: str
    reason: str
    aside: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    suv: bool = True
    whole: bool = True
    change: Callable[[Order], Order] = lambda order: order
    why: str = ""


def sound(order: Order) -> Files:
    """The files of a classic series, as they should be."""
    return _named([encoded(order, one) for one in slices(order)])


def names(count: int) -> list[str]:
    """What the files of a classic series are called."""
    return [f"IM{index:04d}" for index in range(count)]


def faulty(order: Order, name: str) -> tuple[Order, Files]:
    """A series with a fault, under identifiers of its own, and its files."""
    study = uid(order.study, name)
    own = replace(
        order,
        patient=f"fault-{name}",
        study=study,
        uid=uid(study, 1),
        folder=f"faults/{name}",
        enhanced=False,
        expected=FAULTS[name].expected,
        reason=FAULTS[name].reason,
        suv=order.suv if FAULTS[name].suv else None,
        source=order.source if FAULTS[name].whole and FAULTS[name].expected == "ok" else "",
        chosen="" if FAULTS[name].why else order.chosen,
        why=FAULTS[name].why or order.why,
    )
    own = FAULTS[name].change(own)
    return own, FAULTS[name].files(own)


def _named(contents: Sequence[bytes]) -> Files:
    return dict(zip(names(len(contents)), contents, strict=True))


def _truncated(order: Order) -> Files:
    files = sound(order)
    middle = sorted(files)[len(files) // 2]
    return {**files, middle: files[middle][: len(files[middle]) * 2 // 3]}


def _duplicated(order: Order) -> Files:
    files = sound(order)
    return {**files, "copy of IM0001": files["IM0001"]}


def _gap(order: Order) -> Files:
    files = sound(order)
    return {name: files[name] for name in files if name != sorted(files)[len(files) // 2]}


def _tilted(order: Order) -> Files:
    found = slices(order)
    for one in found:
        x, y, z = (float(value) for value in one.ImagePositionPatient)
        one.ImagePositionPatient = [f"{x:.6g}", f"{y + TILT * z:.6g}", f"{z:.6g}"]
    return _named([encoded(order, one) for one in found])


def _mixed(order: Order) -> Files:
    found = [*slices(order), *coronal(order)]
    return _named([encoded(order, one) for one in found])


def _among_others(order: Order) -> Files:
    return {
        **sound(order),
        "notes.txt": b"Patient was comfortable.\n",
        "screenshot.png": b"\x89PNG\r\n\x1a\n" + bytes(64),
    }


def _gzipped(order: Order) -> Files:
    return {f"{name}.gz": gzip.compress(one, mtime=0) for name, one in sound(order).items()}


def _half_copied(order: Order) -> Files:
    files = sound(order)
    half = {name: files[name] for name in sorted(files)[: len(files) // 2]}
    return {**half, f"IM{len(half):04d}": b""}


def _two_patients(order: Order) -> Files:
    mine, other = sound(order), sound(replace(order, patient=f"{order.patient}-other"))
    half = len(mine) // 2
    return {name: (mine if turn < half else other)[name] for turn, name in enumerate(sorted(mine))}


def _without_dose(order: Order) -> Order:
    left = {key: value for key, value in order.isotope.items() if key != "RadionuclideTotalDose"}
    return replace(order, isotope=MappingProxyType(left))


def _of_a_knee(order: Order) -> Order:
    attributes = {**order.attributes, "BodyPartExamined": "KNEE", "SeriesDescription": "t1_knee"}
    return replace(order, attributes=attributes)


def _of_a_leg(order: Order) -> Order:
    leg = {"BodyPartExamined": "LEG", "SeriesDescription": "CT Leg 5.0"}
    return replace(order, attributes={**order.attributes, **leg})


_ASIDE = "set-aside"
FAULTS: Mapping[str, Fault] = MappingProxyType(
    {
        "truncated": Fault("mri", _truncated, "unreadable", "one file ends in its pixels"),
        "duplicated": Fault(
            "mri",
            _duplicated,
            "ok",
            "one file twice",
            MappingProxyType({"copy of IM0001": _ASIDE}),
        ),
        "gzipped": Fault("mri", _gzipped, "ok", "every file is gzip'd"),
        "gap": Fault("mri", _gap, "refused", "a slice is missing", why="lacks slices"),
        "tilt": Fault("mri", _tilted, "tilt", "slices are displaced along the stack"),
        "mixed": Fault(
            "mri",
            _mixed,
            "ok",
            "an axial and a coronal stack in one series",
            why="several orientations",
        ),
        "non-dicom": Fault(
            "mri",
            _among_others,
            "ok",
            "other files beside it",
            MappingProxyType({"notes.txt": _ASIDE, "screenshot.png": _ASIDE}),
        ),
        "half-copied": Fault(
            "mri",
            _half_copied,
            "ok",
            "the upper half is not there yet, and one file is empty",
            whole=False,
            why="does not cover a head",
        ),
        "without-dose": Fault(
            "pet", sound, "ok", "the dose is not stated", suv=False, change=_without_dose
        ),
        "wrong-body-part": Fault(
            "mri",
            sound,
            "ok",
            "shows a knee",
            change=_of_a_knee,
            why="another part of the body",
        ),
        "ct-leg": Fault("ct", sound, "ok", "CT of a leg", change=_of_a_leg, why="is no MR"),
        "two-patients": Fault(
            "mri",
            _two_patients,
            "refused",
            "one Study with two Patient IDs",
            why="different Patient IDs",
        ),
    }
)
"""Name -> fault. All are planted in every hospital."""
