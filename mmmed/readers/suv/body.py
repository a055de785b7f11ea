"""Weight, height and sex, and what SUVs of other types divide by.

lean body mass (LBM)   1.10 W - 120 (W/H)^2 of men, 1.07 W - 148 (W/H)^2 of women (Morgan and Bray,
                       Clin Pharmacokinet 1994, 26:292), which is DICOM's LBM; LBMJAMES128 has 128
                       for men, as James wrote it (Research on obesity, HMSO, London 1976).
                       LBMJANMA: 9270 W / (6680 + 216 BMI) of men,
                       9270 W / (8780 + 244 BMI) of women (Janmahasatian et al., Clin Pharmacokinet
                       2005, 44:1051). W in kg, H in cm, BMI = W / (H/100)^2.
ideal weight (IBW)     48.0 + 1.06 (H - 152) of men, 45.5 + 0.91 (H - 152) of women (Sugawara et
                       al., Radiology 1999, 213:521)
surface (BSA)          0.007184 W^0.425 H^0.725 m2 (DuBois and DuBois, Arch Intern Med 1916, 17:863)

The types are those of SUV Type (0054,1006), DICOM PS3.3 C.8.9.1. SUVs of one scan differ by the
quotient of what they divide by alone, so that a conversion is exact.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from mmmed.errors import UnitsError
from mmmed.readers.suv.element import missing, name
from mmmed.readers.suv.reading import Reading

LIGHTEST_KG, HEAVIEST_KG = 1.0, 400.0
"""Weights of patients on a PET table; what lies outside is in another unit, or is no weight."""

SHORTEST_M, TALLEST_M = 0.3, 2.5
_MALE, _FEMALE = "M", "F"

Formula = Callable[[float, float], float]
"""From weight in kg and height in cm to kg."""


def weight_kg(reading: Reading) -> float:
    """The patient's weight in kg.

    Raises:
        UnitsError: none is stated, or one that cannot be true.
    """
    return _within(reading, "PatientWeight", LIGHTEST_KG, HEAVIEST_KG, unit="kg")


def height_m(reading: Reading) -> float:
    """The patient's height in m.

    Raises:
        UnitsError: none is stated, or one that cannot be true.
    """
    return _within(reading, "PatientSize", SHORTEST_M, TALLEST_M, unit="m")


def check_sex(kind: str, reading: Reading) -> None:
    """Refuse a patient whose sex the formula of a type needs and the headers do not state.

    Raises:
        UnitsError: neither male nor female is stated.
    """
    _sex_for(kind, reading)


def divisor_kg(kind: str, reading: Reading, *, weight: float, height: float) -> float:
    """What an SUV of a type divides by instead of the body weight, in kg.

    For `BSA` it is the surface in units of 10 m2, which makes cm2/mL of g/mL.

    Args:
        kind: one of `TYPES`.
        reading: asked for the sex where the formula has one for each.
        weight: kg.
        height: m.

    Raises:
        UnitsError: the sex is needed and neither male nor female is stated, or the formula leaves
            nothing of this weight and height.
    """
    divisor = TYPES[kind][_sex_for(kind, reading)](weight, 100 * height)
    if divisor <= 0:
        raise UnitsError(
            f"{name('SUVType')} is {kind}, which is {divisor:.3g} kg at {weight:g} kg and "
            f"{height:g} m; it cannot be converted"
        )
    return divisor


def _within(reading: Reading, keyword: str, least: float, most: float, *, unit: str) -> float:
    stated = reading.number(keyword)
    if stated is None:
        raise missing(keyword)
    if not least <= stated <= most:
        raise UnitsError(f"{name(keyword)} is {stated:g}; {least:g} to {most:g} {unit} can be true")
    return stated


def _sex_for(kind: str, reading: Reading) -> str:
    """The sex; any where the formula is the same for both."""
    if TYPES[kind][_MALE] is TYPES[kind][_FEMALE]:
        return _MALE
    stated = reading.text("PatientSex")
    if stated is None:
        raise missing("PatientSex")
    if stated not in (_MALE, _FEMALE):
        raise UnitsError(f"{name('PatientSex')} is {stated}, and the formula is of M and F")
    return stated


def _james(weight_factor: float, quotient_factor: float) -> Formula:
    return lambda kg, cm: weight_factor * kg - quotient_factor * (kg / cm) ** 2


def _janma(constant: float, slope: float) -> Formula:
    return lambda kg, cm: 9270 * kg / (constant + slope * kg / (cm / 100) ** 2)


def _ideal(base: float, slope: float) -> Formula:
    return lambda _, cm: base + slope * (cm - 152)


def _surface(kg: float, cm: float) -> float:
    """Units of 10 m2: 1 m2 is 10^4 cm2, and the weight that it stands beside counts 10^3 g."""
    return float(0.007184 * kg**0.425 * cm**0.725 * 10)


TYPES: Mapping[str, Mapping[str, Formula]] = MappingProxyType(
    {
        "LBM": {_MALE: _james(1.10, 120), _FEMALE: _james(1.07, 148)},
        "LBMJAMES128": {_MALE: _james(1.10, 128), _FEMALE: _james(1.07, 148)},
        "LBMJANMA": {_MALE: _janma(6680, 216), _FEMALE: _janma(8780, 244)},
        "IBW": {_MALE: _ideal(48.0, 1.06), _FEMALE: _ideal(45.5, 0.91)},
        "BSA": {_MALE: _surface, _FEMALE: _surface},
    }
)
"""SUV Type other than BW -> formula for each sex."""
