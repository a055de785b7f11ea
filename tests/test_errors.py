"""The tree of errors and what commands end with."""

from __future__ import annotations

import pickle
import re

import pytest

from mmmed import errors
from mmmed.errors import MissingExtra, MmmedError, join


def tree(root: type[MmmedError] = MmmedError) -> list[type[MmmedError]]:
    return [root, *(one for branch in root.__subclasses__() for one in tree(branch))]


def test_the_drawn_tree_is_the_tree() -> None:
    drawn = re.findall(r"^[ │├└─]*([A-Z]\w+)", errors.__doc__ or "", flags=re.MULTILINE)
    assert [name for name in drawn if name.isidentifier() and hasattr(errors, name)] == [
        one.__name__ for one in tree()
    ]


def test_the_drawn_exit_codes_are_the_exit_codes() -> None:
    drawn = re.findall(r"([A-Z]\w+)(?:\(\w+\))? +exit (\d)", errors.__doc__ or "")
    assert len(drawn) == 10
    assert {name: int(code) for name, code in drawn} == {
        name: getattr(errors, name).exit_code for name, _ in drawn
    }


@pytest.mark.parametrize("kind", [one for one in tree() if one is not MissingExtra])
def test_an_error_survives_the_way_from_a_worker_process(kind: type[MmmedError]) -> None:
    back = pickle.loads(pickle.dumps(kind("what, where")))
    assert type(back) is kind
    assert str(back) == "what, where"


def test_a_missing_extra_says_what_to_install_also_from_a_worker_process() -> None:
    error = pickle.loads(pickle.dumps(MissingExtra("the backend ray", extra="ray")))
    assert type(error) is MissingExtra
    assert isinstance(error, ImportError)
    assert str(error) == "the backend ray needs an optional package: pip install 'mmmed[ray]'"


def test_faults_found_together_stand_on_one_line_each() -> None:
    assert join(["a: wrong", "b: wrong"]) == "a: wrong\nb: wrong"


def test_faults_are_collected_line_by_line_and_work_goes_on() -> None:
    faults = ["first"]
    with errors.Collecting(faults):
        raise errors.DataError("second\nthird")
    assert faults == ["first", "second", "third"]


def test_what_is_no_fault_of_ours_is_not_collected() -> None:
    faults: list[str] = []
    with pytest.raises(KeyError), errors.Collecting(faults):
        raise KeyError("x")
    assert faults == []
