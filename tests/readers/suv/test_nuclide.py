"""Which radionuclide a text or a code names."""

from __future__ import annotations

import pytest
from pydicom.sr.codedict import codes

from mmmed.readers.suv.nuclide import HALF_LIVES, named_nuclide


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
