"""The algebra of patterns against Python's sets."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmmed.errors import PresenceError
from mmmed.modality import NAME, ItemKind, Modality, Pattern, every_pattern, natural_sorted

NAMES = st.from_regex(NAME, fullmatch=True)
SETS = st.sets(NAMES, min_size=1, max_size=6)
FEW = st.sets(st.sampled_from(["mri", "pet", "x40", "x100"]), min_size=1)


@given(SETS)
def test_a_pattern_is_its_spelling(names: set[str]) -> None:
    pattern = Pattern.of(names)
    assert Pattern.parse(str(pattern)) == pattern
    assert hash(Pattern.parse(str(pattern))) == hash(pattern)
    assert set(pattern) == names
    assert len(pattern) == len(names)


@given(st.lists(NAMES, min_size=1, max_size=6, unique=True), st.randoms())
def test_the_order_of_names_is_irrelevant(names: list[str], random: object) -> None:
    shuffled = list(names)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert Pattern.parse("+".join(shuffled)) == Pattern.of(names)


@given(FEW, FEW)
def test_the_operations_are_those_of_sets(left: set[str], right: set[str]) -> None:
    one, other = Pattern.of(left), Pattern.of(right)
    assert set(one | other) == left | right
    assert (one <= other) == (left <= right)
    assert {name for name in ("mri", "pet", "x40", "x100") if name in one} == left
    for operation, expected in ((Pattern.__and__, left & right), (Pattern.__sub__, left - right)):
        if expected:
            assert set(operation(one, other)) == expected
        else:
            with pytest.raises(PresenceError, match="at least one modality"):
                operation(one, other)


@given(st.sets(NAMES, max_size=6))
def test_every_pattern_is_every_non_empty_subset_once_smallest_first(names: set[str]) -> None:
    found = every_pattern(names)
    assert len(set(found)) == len(found) == 2 ** len(names) - 1
    assert all(set(pattern) <= names for pattern in found)
    assert all(len(before) <= len(after) for before, after in pairwise(found))


def test_the_patterns_of_two_modalities_are_three() -> None:
    assert [str(pattern) for pattern in every_pattern(["pet", "mri"])] == ["mri", "pet", "mri+pet"]


def test_numbers_in_names_are_ordered_as_numbers() -> None:
    assert str(Pattern.parse("x400+x40+x100+x200")) == "x40+x100+x200+x400"
    assert natural_sorted(["b2", "b10", "a", "b"]) == ["a", "b", "b2", "b10"]
    assert natural_sorted(["x²", "x10", "x9"]) == ["x9", "x10", "x²"]


@given(st.lists(st.text(max_size=8), max_size=8))
def test_natural_order_is_one_order_for_any_texts(names: list[str]) -> None:
    assert natural_sorted(reversed(names)) == natural_sorted(names)
    assert sorted(natural_sorted(names)) == sorted(names)


@pytest.mark.parametrize("text", ["", "mri+", "+pet", "MRI", "mri pet", "4d", "_a", "é", "any"])
def test_what_is_no_pattern_is_refused(text: str) -> None:
    with pytest.raises(PresenceError, match="is no modality name: write a pattern like 'mri"):
        Pattern.parse(text)


def test_a_modality_stands_once_in_a_pattern() -> None:
    with pytest.raises(PresenceError, match=r"'mri\+pet\+mri' names a modality twice"):
        Pattern.parse("mri+pet+mri")


def test_an_empty_pattern_cannot_be_made() -> None:
    with pytest.raises(PresenceError, match="at least one modality"):
        Pattern.of([])


def test_names_out_of_order_are_refused_by_the_constructor() -> None:
    with pytest.raises(ValueError, match=r"use Pattern\.of"):
        Pattern(("pet", "mri"))


@pytest.mark.parametrize(
    ("kind", "shape", "space"),
    [("volume", (1, 4, 5, 6), (4, 5, 6)), ("image", (3, 8, 9), (8, 9)), ("vector", (7,), ())],
)
def test_a_modality_knows_its_space(
    kind: ItemKind, shape: tuple[int, ...], space: tuple[int, ...]
) -> None:
    assert Modality("mri", kind, shape).space == space


@pytest.mark.parametrize("name", ["MRI", "", "4d", "a-b", "any", "mri\n"])
def test_a_malformed_name_of_a_modality_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="a name is lower-case letters"):
        Modality(name, "vector", (3,))


@pytest.mark.parametrize(
    ("kind", "shape"),
    [("volume", (4, 5, 6)), ("image", (1, 4, 5, 6)), ("vector", (1, 3)), ("vector", (0,))],
)
def test_a_shape_that_is_not_the_kinds_is_refused(kind: ItemKind, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=f"a {kind} has"):
        Modality("mri", kind, shape)
