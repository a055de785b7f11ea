"""From values to Specs: every fault with its place, its key and the nearest valid spelling."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, ValidationError, field_validator, model_validator

from mmmed import config
from mmmed.config import Spec, check_version, nearest, override, parse, schema, validate
from mmmed.errors import StudyError
from mmmed.library import FOLDERS

ROOT = Path(__file__).resolve().parent.parent
FILE = Path("f.yaml")

Share = Annotated[float, Field(ge=0, le=1)]


class Hide(Spec):
    kind: Literal["mcar"]
    rate: Share | Annotated[tuple[Share, ...], Field(min_length=1)] = 0.5


class Name(Spec):
    kind: Literal["list"]
    file: Path
    deeper: Annotated[Hide | None, Field()] = None


class Limits(Spec):
    low: int = 0
    high: int = 1

    @model_validator(mode="after")
    def _ordered(self) -> Limits:
        if self.low > self.high:
            raise ValueError("low is above high;\nswap them")
        return self


class Everything(Spec):
    steps: int = 1
    flag: bool = False
    select: Literal["loss", "auroc"] = "loss"
    folder: Path | None = None
    slopes: dict[str, float] = Field(default_factory=dict)
    threshold: Share | dict[Literal["sensitivity"], float] = 0.5
    protocols: tuple[Annotated[Hide | Name, Field(discriminator="kind")], ...] | None = None
    either: Annotated[Hide | Name, Field(discriminator="kind")] | str = "x"
    pair: tuple[int, str] = (1, "a")
    limits: Limits = Limits()
    names: Annotated[tuple[str, ...], Field(min_length=1)] = ("a",)
    code: Annotated[str, Field(pattern="^[a-z]+$")] = "a"

    @field_validator("names")
    @classmethod
    def _short(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if any(len(name) > 3 for name in names):
            raise ValueError("a name has at most 3 letters")
        return names


def checked(text: str) -> Everything:
    return validate(parse(text, path=FILE), Everything)


def faults(text: str) -> list[str]:
    with pytest.raises(StudyError) as caught:
        checked(text)
    return str(caught.value).splitlines()


def test_a_spec_is_frozen_and_refuses_unknown_keys_in_python_too() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Limits().low = 3  # type: ignore[misc]
    with pytest.raises(ValidationError, match="Extra inputs"):
        Limits(lwo=3)  # type: ignore[call-arg]


def test_what_fits_becomes_values_of_the_declared_types() -> None:
    spec = checked(
        "folder: a/b\nprotocols: [{kind: mcar, rate: [0, 1]}, {kind: list, file: x}]\n"
        "threshold: {sensitivity: 0.9}\nslopes: {age: 1}\npair: [2, b]\n"
    )
    assert spec.folder == Path("a/b")
    assert spec.protocols == (Hide(kind="mcar", rate=(0, 1)), Name(kind="list", file=Path("x")))
    assert spec.threshold == {"sensitivity": 0.9}
    assert spec.pair == (2, "b")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("stps: 1", "stps: unknown key; did you mean 'steps'?"),
        ("STEPS: 1", "STEPS: unknown key; did you mean 'steps'?"),
        ("limits: {hihg: 1}", "limits.hihg: unknown key; did you mean 'high'?"),
        ("limits: {zzz: 1}", "limits.zzz: unknown key; allowed: high, low"),
        ("select: auorc", "select: 'auorc' is not allowed; did you mean 'auroc'?"),
        ("select: x", "select: 'x' is not allowed; allowed: loss, auroc"),
        ("select: 3", "select: 3 is not allowed; allowed: loss, auroc"),
        ("steps: '3'", "steps: should be a whole number, not '3'"),
        ("steps: true", "steps: should be a whole number, not true"),
        ("steps: 1.0", "steps: should be a whole number, not 1.0"),
        ("steps:", "steps: should be a whole number, not null"),
        ("flag: 1", "flag: should be true or false, not 1"),
        ("folder: 3", "folder: should be text, not 3"),
        ("names: a", "names: should be a list, not 'a'"),
        ("names: []", "names: should list at least 1; it is []"),
        ("names: [a, long]", "names: a name has at most 3 letters"),
        ("names: [a, 3]", "names.1: should be text, not 3"),
        ("names: [3]", "names.0: should be text, not 3"),
        ("code: Ab", "code: 'Ab' does not match ^[a-z]+$"),
        ("limits: 3", "limits: should be a mapping, not 3"),
        ("limits: {low: 2}", "limits: low is above high; swap them"),
        ("slopes: {age: x}", "slopes.age: should be a number, not 'x'"),
        ("pair: [1, 2]", "pair.1: should be text, not 2"),
        ("protocols: 3", "protocols: should be a list, not 3"),
        ("protocols: [3]", "protocols.0: should be a mapping, not 3"),
        ("protocols: [{rate: 1}]", "protocols.0.kind: is missing; allowed: mcar, list"),
        ("protocols: [{kind: mca}]", "protocols.0.kind: unknown kind 'mca'; did you mean 'mcar'?"),
        ("protocols: [{kind: list}]", "protocols.0.file: is missing"),
        (
            "protocols: [{kind: mcar, rat: 1}]",
            "protocols.0.rat: unknown key; did you mean 'rate'?",
        ),
        (
            "protocols: [{kind: list, file: x, deeper: {kind: mcr}}]",
            "protocols.0.deeper.kind: 'mcr' is not allowed; did you mean 'mcar'?",
        ),
        (
            "protocols: [{kind: mcar, rate: 2}]",
            "protocols.0.rate: should be less than or equal to 1; it is 2",
        ),
        (
            "protocols: [{kind: mcar, rate: [0.5, 2]}]",
            "protocols.0.rate.1: should be less than or equal to 1; it is 2",
        ),
        (
            "protocols: [{kind: mcar, rate: [0.5, x]}]",
            "protocols.0.rate.1: should be a number, not 'x'",
        ),
        (
            "protocols: [{kind: mcar, rate: []}]",
            "protocols.0.rate: should list at least 1; it is []",
        ),
        (
            "protocols: [{kind: mcar, rate: half}]",
            "protocols.0.rate: should be a number or a list, not 'half'",
        ),
        ("threshold: x", "threshold: should be a number or a mapping, not 'x'"),
        (
            "threshold: {sensitvity: 1}",
            "threshold.sensitvity: 'sensitvity' is not allowed; did you mean 'sensitivity'?",
        ),
        ("threshold: {sensitivity: x}", "threshold.sensitivity: should be a number, not 'x'"),
        ("either: 3", "either: should be a mapping or text, not 3"),
        (
            "either: {kind: mcar, rate: 7}",
            "either.rate: should be less than or equal to 1; it is 7",
        ),
        ("either: {kind: lst}", "either.kind: unknown kind 'lst'; did you mean 'list'?"),
    ],
)
def test_a_fault_names_its_place_its_key_and_what_would_do(text: str, fault: str) -> None:
    (found,) = faults(f"folder: a\n{text}" if not text.startswith("folder") else f"\n{text}")
    assert found == f"f.yaml:2: {fault}"


def test_all_faults_are_raised_together_each_on_its_line() -> None:
    found = faults(
        "stps: 1\nselect: x\nprotocols:\n  - kind: mcar\n    rate: 2\n  - kind: what\n"
        "limits:\n  high: x\n"
    )
    assert sorted(line.partition(" ")[0] for line in found) == [
        f"f.yaml:{line}:" for line in (1, 2, 5, 6, 8)
    ]


def test_a_long_value_is_cut() -> None:
    (fault,) = faults(f"steps: {'x' * 1000}")
    assert len(fault) < 120


def test_a_fault_in_a_setting_is_found_at_the_setting() -> None:
    document = override(parse("steps: 1", path=FILE), ["steps=many"])
    with pytest.raises(StudyError, match=r"^--set steps=many: steps: should be a whole number"):
        validate(document, Everything)


def test_a_path_that_is_no_text_is_one_line() -> None:
    values = {"steps": 3, "name": "/data/caf\udce9/in"}
    document = replace(parse("steps: 3", path=FILE), values=values)
    with pytest.raises(
        StudyError, match=r"^/data/caf\\udce9\.\.\.: is no UTF-8; reach it by a link"
    ):
        validate(document, Everything)


def test_dropped_keys_are_not_the_specs() -> None:
    document = parse("mmmed: 1\nsteps: 3", path=FILE)
    assert validate(document, Everything, drop=("mmmed",)).steps == 3
    with pytest.raises(StudyError, match="mmmed: unknown key"):
        validate(document, Everything)


@pytest.mark.parametrize("stated", ["mmmed: 2", "mmmed: true", "mmmed: 1.0", "mmmed: '1'", "a: 1"])
def test_a_file_states_the_schema_number_exactly(stated: str) -> None:
    check_version(parse("mmmed: 1", path=FILE))
    with pytest.raises(StudyError, match="state `mmmed: 1`, the schema number"):
        check_version(parse(stated, path=FILE))


def test_nearest_is_blind_to_case_and_lists_what_is_allowed_where_nothing_is_near() -> None:
    assert nearest("HyperMM", ["hypermm", "late-sum"]) == "; did you mean 'hypermm'?"
    assert nearest("late_sum", ["hypermm", "late-sum"]) == "; did you mean 'late-sum'?"
    assert nearest("x", ["hypermm", "late-sum"]) == "; allowed: hypermm, late-sum"
    assert nearest("x", []) == ""


def test_the_json_schema_is_of_the_file_and_closed() -> None:
    described: dict[str, Any] = schema(Everything)
    assert described["required"] == ["mmmed"]
    assert described["properties"]["mmmed"]["const"] == 1
    assert described["additionalProperties"] is False
    assert set(described["properties"]) == {"mmmed", *Everything.model_fields}
    assert described["$schema"].startswith("https://json-schema.org/")


def test_the_public_names_are_all_there_and_sorted() -> None:
    assert [name for name in config.__all__ if not hasattr(config, name)] == []


SHIPPED = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.yaml"))]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_shipped_file_is_a_plain_tree_of_this_schema(path: Path) -> None:
    check_version(config.read(path))
