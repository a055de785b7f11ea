"""Which radionuclide a text or a code names."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from mmmed.errors import UnitsError
from mmmed.readers.suv.nuclide import HALF_LIVES, half_life, named_nuclide
from mmmed.readers.suv.reading import Reading

Build = Callable[..., list[Dataset]]


@pytest.mark.parametrize(
    ("text", "nuclide"),
    [
        ("^18^Fluorine", "18F"),
        ("18F", "18F"),
        ("F-18", "18F"),
        ("F18", "18F"),
        ("Fluorine-18", "18F"),
        ("F-18 FDG", "18F"),
        ("[18F]FDG", "18F"),
        ("Solution, Gallium-68 dotatate", "68Ga"),
        ("^94m^Technetium", "94mTc"),
        ("FDG -- fluorodeoxyglucose", None),
        ("Iodine-131", None),
        ("", None),
    ],
)
def test_a_nuclide_is_found_in_any_spelling(text: str, nuclide: str | None) -> None:
    assert named_nuclide(text) == nuclide


def test_every_radionuclide_of_the_context_group_has_a_half_life() -> None:
    named = {named_nuclide(one.meaning) for one in codes.cid4020.concepts.values()}
    assert named == set(HALF_LIVES)


@pytest.mark.parametrize(
    ("named", "seconds"),
    [
        ("F-18", 6586.2),
        ("F-18", 6588.0),
        ("C-11", 1223.0),
        ("N-13", 597.9),
        ("O-15", 122.24),
        ("O-15", 123.0),
        ("Ga-68", 4057.7),
        ("Ga-68", 4080.0),
        ("Rb-82", 76.38),
        ("Rb-82", 75.0),
        ("Cu-64", 45720.0),
        ("Zr-89", 282276.0),
        ("I-124", 360806.0),
        ("Ga-66", 34164.0),
        ("Sc-44", 14292.0),
        ("Y-90", 230400.0),
    ],
)
def test_half_lives_that_scanners_and_textbooks_state_are_accepted(
    named: str, seconds: float, build: Build
) -> None:
    headers = build(Radiopharmaceutical=named, RadionuclideHalfLife=str(seconds))
    assert half_life(Reading.of(headers)) == seconds


@pytest.mark.parametrize(
    ("named", "seconds"),
    [("F-18", 6651.0), ("F-18", 6517.0), ("C-11", 1233.0), ("Ga-68", 3999.0), ("Rb-82", 78.0)],
)
def test_a_half_life_that_is_over_one_percent_off_is_refused_with_both(
    named: str, seconds: float, build: Build
) -> None:
    headers = build(Radiopharmaceutical=named, RadionuclideHalfLife=str(seconds))
    with pytest.raises(UnitsError, match=rf"is {seconds:g} s, but the radionuclide is \d+[A-Z]"):
        half_life(Reading.of(headers))
