"""The decision tree: from what headers state to the factor that makes SUVbw of a PET's values.

    Units   BQML    weight / dose that is left at the moment of DecayCorrection, ADMIN or START
            CNTS    Philips: its SUV factor; else its activity factor, then as BQML
            GML     1 where SUVType is BW or absent; else weight / what that type divides by
            CM2ML   the same, of the body surface
            others  refused
    all     attenuation and decay corrected, an emission image, one value over the whole series

Where something is missing, contradictory or impossible, everything of it is named in one refusal;
nothing is filled in. A chain that ends scale-free needs none of this but one linear unit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType

from pydicom.dataset import Dataset

from mmmed.errors import Collecting, UnitsError
from mmmed.readers.suv.body import TYPES, check_sex, divisor_kg, height_m, weight_kg
from mmmed.readers.suv.corrections import (
    ATTENUATION,
    DECAY,
    check_corrected,
    check_emission,
)
from mmmed.readers.suv.decay import acquisitions, check_decay_corrected, decay_terms
from mmmed.readers.suv.derivation import Derivation, Unit
from mmmed.readers.suv.dose import dose
from mmmed.readers.suv.element import name
from mmmed.readers.suv.fault import settle, together
from mmmed.readers.suv.nuclide import half_life
from mmmed.readers.suv.philips import ACTIVITY_TAG, SUV_TAG, activity_scale, suv_scale
from mmmed.readers.suv.reading import Reading
from mmmed.readers.suv.units import LINEAR, MEANINGS, StatedUnit, stated_unit

AGREE = 0.05
"""Share by which Philips' SUV factor may differ from the one computed without a note."""

_ADVICE = ". Exclude the series, or use a scale-free chain"


@dataclass(frozen=True)
class _Factor:
    """A factor, and the same as arithmetic over named terms."""

    value: float
    formula: str
    terms: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))


def derive(headers: Sequence[Dataset]) -> Derivation:
    """How the rescaled values of a PET series become SUVbw.

    Args:
        headers: of every file of the series: all of its volumes are decay corrected to one moment.

    Raises:
        UnitsError: SUVbw cannot be computed; the message is one line that names every tag at fault.
    """
    try:
        reading = Reading.of(headers)
        factor = _decide(reading)
    except UnitsError as error:
        faults = "; ".join(str(error).splitlines())
        raise UnitsError(f"SUV cannot be computed: {faults}{_ADVICE}") from error
    return _record(reading, factor, unit="SUVbw")


def derive_relative(headers: Sequence[Dataset]) -> Derivation:
    """The record of a series whose values need a linear unit alone, as SUVR and z-scores do.

    It is SUVbw where that can be derived; else the values are left as they are, `relative`, and
    the notes say why.

    Raises:
        UnitsError: the values have no one linear unit, or lack attenuation correction, or decay
            correction although their slices were acquired one after the other.
    """
    try:
        return derive(headers)
    except UnitsError as error:
        why = str(error).removesuffix(_ADVICE)
    faults: list[str] = []
    reading = Reading.of(headers, several_isotopes=True)
    for check in (check_emission, _check_linear, _check_attenuation, _check_one_time):
        with Collecting(faults):
            check(reading)
    if faults:
        told = "; ".join(dict.fromkeys(faults))
        raise UnitsError(f"values are not even relative: {told}. Exclude the series")
    reading.step("relative")
    reading.note(why)
    return _record(reading, _Factor(1.0, "1"), unit="relative")


def _decide(reading: Reading) -> _Factor:
    faults: list[str] = []
    factor = _Factor(1.0, "1")
    for check in (check_emission, _check_attenuation, _check_decay):
        with Collecting(faults):
            check(reading)
    with Collecting(faults):
        stated = stated_unit(reading)
        reading.step(f"unit: {stated.units}{' ' if stated.suv_type else ''}{stated.suv_type}")
        factor = _scaled(_by_unit(reading, stated), stated.scale)
    settle(faults)
    return factor


def _by_unit(reading: Reading, stated: StatedUnit) -> _Factor:
    if stated.units == "BQML":
        return _by_activity(reading, _Factor(1.0, "1"))
    if stated.units == "CNTS":
        return _by_philips(reading, stated)
    if stated.units == "GML":
        return _by_suv(reading, stated, of_body_weight=stated.suv_type in ("", "BW"))
    if stated.units == "CM2ML":
        return _by_suv(reading, stated, of_body_weight=False)
    raise UnitsError(
        f"{name('Units')} is {stated.units} ({MEANINGS[stated.units]}), which has no way to SUV"
    )


def _by_activity(reading: Reading, concentration: _Factor) -> _Factor:
    """Weight in g over the dose that is left, times what makes Bq/mL of a value."""
    decay: dict[str, float] = {}

    def left() -> float:
        decay.update(decay_terms(reading))
        return 2 ** (-decay["elapsed_s"] / decay["half_life_s"]) if decay else 1.0

    weight, given, share = together(lambda: weight_kg(reading), lambda: dose(reading), left)
    remaining = "dose_bq * 2 ** (-elapsed_s / half_life_s)" if decay else "dose_bq"
    here = f"1000 * weight_kg / ({remaining})"
    return _Factor(
        concentration.value * 1000 * weight / (given * share),
        here if concentration.formula == "1" else f"{concentration.formula} * {here}",
        {**concentration.terms, "weight_kg": weight, "dose_bq": given, **decay},
    )


def _by_philips(reading: Reading, stated: StatedUnit) -> _Factor:
    if stated.suv_type not in ("", "BW"):
        raise UnitsError(f"{name('SUVType')} is {stated.suv_type} of counts, which is no SUV")
    suv, activity = suv_scale(reading), activity_scale(reading)
    if suv is not None:
        reading.step(f"Philips SUV factor {SUV_TAG}")
        if activity is not None:
            _compare(reading, suv, activity)
        _note_doubts(reading)
        return _Factor(suv, "suv_scale", {"suv_scale": suv})
    if activity is None:
        raise UnitsError(
            f"{name('Units')} is CNTS and Philips' factors SUVScaleFactor {SUV_TAG} and "
            f"ActivityConcentrationScaleFactor {ACTIVITY_TAG} are missing or 0"
        )
    reading.step(f"Philips activity factor {ACTIVITY_TAG}")
    return _by_activity(reading, _Factor(activity, "activity_scale", {"activity_scale": activity}))


def _compare(reading: Reading, suv: float, activity: float) -> None:
    """Note where Philips' two factors lead to different values; the first one counts."""
    aside = Reading(places=reading.places, isotopes=reading.isotopes)
    try:
        computed = _by_activity(aside, _Factor(activity, "activity_scale")).value
    except UnitsError:
        return
    if abs(suv - computed) > AGREE * computed:
        reading.note(
            f"SUVScaleFactor {SUV_TAG} is {suv:g}, which counts; weight, dose and {ACTIVITY_TAG} "
            f"give {computed:g}"
        )


def _note_doubts(reading: Reading) -> None:
    """Note a dose or half-life that cannot be true, of values that are SUV without them."""
    aside = Reading(places=reading.places, isotopes=reading.isotopes)
    for keyword, check in (("RadionuclideTotalDose", dose), ("RadionuclideHalfLife", half_life)):
        try:
            if aside.isotope_text(keyword) is not None:
                check(aside)
        except UnitsError as error:
            reading.note(f"not used here, but in doubt: {error}")


def _by_suv(reading: Reading, stated: StatedUnit, *, of_body_weight: bool) -> _Factor:
    _note_doubts(reading)
    if of_body_weight:
        return _Factor(1.0, "1")
    kind = "BSA" if stated.units == "CM2ML" else stated.suv_type
    if stated.suv_type not in ("", kind) or (stated.units == "GML") == (kind == "BSA"):
        raise UnitsError(
            f"{name('SUVType')} is {stated.suv_type} and {name('Units')} is {stated.units}, which "
            "contradict each other"
        )
    if kind not in TYPES:
        raise UnitsError(f"{name('SUVType')} is {kind}, which DICOM does not define")
    faults: list[str] = []
    for needed in (weight_kg, height_m, partial(check_sex, kind)):
        with Collecting(faults):
            needed(reading)
    settle(faults)
    weight, height = weight_kg(reading), height_m(reading)
    divisor = divisor_kg(kind, reading, weight=weight, height=height)
    reading.step(f"SUV{kind.lower()} to SUVbw")
    reading.note(f"values are SUV of {kind}; height and weight make SUVbw of them")
    return _Factor(
        weight / divisor, "weight_kg / divisor_kg", {"weight_kg": weight, "divisor_kg": divisor}
    )


def _scaled(factor: _Factor, scale: float) -> _Factor:
    if scale == 1:
        return factor
    return _Factor(
        factor.value * scale,
        f"value_scale * {factor.formula}",
        {"value_scale": scale, **factor.terms},
    )


def _check_attenuation(reading: Reading) -> None:
    check_corrected(reading, ATTENUATION)


def _check_decay(reading: Reading) -> None:
    check_decay_corrected(reading)
    check_corrected(reading, DECAY)


def _check_linear(reading: Reading) -> None:
    stated = stated_unit(reading)
    if stated.units not in LINEAR:
        raise UnitsError(
            f"{name('Units')} is {stated.units} ({MEANINGS[stated.units]}), no linear unit"
        )
    reading.step(f"unit: {stated.units}")


def _check_one_time(reading: Reading) -> None:
    """Without decay correction a common factor is left out only where all was acquired at once."""
    try:
        _check_decay(reading)
    except UnitsError as error:
        if len(set(acquisitions(reading))) != 1:
            raise UnitsError(f"{error}, and slices were acquired at different times") from error


def _record(reading: Reading, factor: _Factor, *, unit: Unit) -> Derivation:
    return Derivation(
        unit=unit,
        factor=factor.value,
        path=tuple(reading.path),
        formula=factor.formula,
        terms=MappingProxyType(dict(factor.terms)),
        evidence=reading.evidence,
        notes=tuple(dict.fromkeys(reading.notes)),
    )
