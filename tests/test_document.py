"""What is read from YAML, and everything that is refused, with its place."""

from __future__ import annotations

import re
import time
import tracemalloc
from pathlib import Path

import pytest

from mmmed.document import DEEPEST, LARGEST_FILE, Document, override, parse, read, spell
from mmmed.errors import StudyError

FILE = Path("study.yaml")


def values(text: str) -> dict[str, object]:
    return parse(text, path=FILE).values


def faults(text: str) -> list[str]:
    with pytest.raises(StudyError) as caught:
        parse(text, path=FILE)
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-3", -3),
        ("1_000", 1000),
        ("0x1F", 31),
        ("0", 0),
        ("0.5", 0.5),
        (".5", 0.5),
        ("3.0e-4", 0.0003),
        (".5e-3", 0.0005),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("brain-mri", "brain-mri"),
        ("e5", "e5"),
        ("1.2.840", "1.2.840"),
        ("'no'", "no"),
        ("'3e-4'", "3e-4"),
        ("'010'", "010"),
        ("'2024-01-02'", "2024-01-02"),
        ("[0, 1, 2]", [0, 1, 2]),
        ("{a: [x, {b: 1}]}", {"a": ["x", {"b": 1}]}),
    ],
)
def test_a_plain_value_is_read_as_people_read_it(text: str, value: object) -> None:
    found = values(f"key: {text}")["key"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        *((word, "truth value") for word in ("yes", "No", "ON", "off", "y", "N")),
        *((word, "signed exponent") for word in ("3e-4", "1E5", "1.5e3", ".5e3", "1_0e-2")),
        *((word, "base 60") for word in ("1:30", "-1:30", "1:30.5", "12:30:00", "1_0:30")),
        *((word, "octal") for word in ("010", "089", "-007", "0o17", "0_1")),
        *((word, "date") for word in ("2024-01-02", "2024-1-2", "2024-01-02T03:04:05")),
        *((word, "quote it") for word in (".inf", "-.inf", ".nan", "1.0e+999", "<<", "=")),
    ],
)
def test_a_scalar_that_is_not_what_it_looks_like_is_refused(text: str, why: str) -> None:
    (fault,) = faults(f"first: 1\nkey: [a, {text}]")
    assert fault.startswith(f"study.yaml:2: key.1: {text!r}")
    assert why in fault


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: 1\nb: &x 2", "study.yaml:2: anchors and aliases (& and *) are not read; repeat"),
        ("a: 1\nb: *x", "study.yaml:2: anchors and aliases (& and *) are not read; repeat"),
        ("a: 1\nb: !!python/name:os.system", "study.yaml:2: tags (!) are not read; write plain"),
        ("a: 1\nb: !!bool 'tru'", "study.yaml:2: tags (!) are not read"),
        ("a: 1\nb: ! x", "study.yaml:2: tags (!) are not read"),
        ("!!set {a, b}", "study.yaml:1: tags (!) are not read"),
        ("a: {b: 1,\n  c: 2,\n  b: 3}", "study.yaml:3: a.b: stands twice, first on line 1"),
        ("a: 1\n? [b]\n: 2", "study.yaml:2: the file: a key is a word"),
        ("a: 1\n'': 2", "study.yaml:2: the file: a key is a word"),
        ("- 1", "study.yaml:1: a mapping `key: value` is expected at the top"),
        ("", "study.yaml:1: a mapping `key: value` is expected at the top"),
        ("a: 1\n---\nb: 2", "study.yaml:2: expected a single document"),
        ("a: 1\nb: [1, 2\nc: 3", "study.yaml:3: "),
        ("a: 1\n\tb: 2", "study.yaml:2: "),
        ("a: \x00", "study.yaml:1: special characters are not allowed"),
    ],
)
def test_what_is_no_plain_tree_is_refused_on_its_line(text: str, fault: str) -> None:
    (found,) = faults(text)
    assert found.startswith(fault)


def test_all_faults_of_a_file_come_together() -> None:
    found = faults("a: no\nb: {c: 010}\nb: 1\nd: [x, 1:30]")
    assert [line.split(":")[1] for line in found] == ["1", "2", "3", "4"]


def test_a_key_is_taken_as_it_is_written() -> None:
    assert values("no: 1\n010: 2") == {"no": 1, "010": 2}


def test_nesting_is_read_to_the_limit_and_no_deeper() -> None:
    inside = DEEPEST - 1
    assert values("a: " + "[" * inside + "]" * inside)
    (fault,) = faults("a: 1\nb: " + "[" * (inside + 1) + "]" * (inside + 1))
    assert fault == f"study.yaml:2: nested deeper than {DEEPEST} levels; make it flatter"


@pytest.mark.parametrize("opening", ["a: " + "[" * 10_000, "{a: " * 10_000, "a:\n" + "- " * 10_000])
def test_deep_nesting_is_refused_before_it_is_recursed_into(opening: str) -> None:
    (fault,) = faults(opening)
    assert "nested deeper" in fault


def test_an_alias_bomb_costs_neither_time_nor_memory() -> None:
    rows = ["l0: &l0 [x, x, x, x, x, x, x, x, x]"]
    rows += [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 12)]
    tracemalloc.start()
    start = time.perf_counter()
    (fault,) = faults("\n".join(rows))
    seconds = time.perf_counter() - start
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "aliases" in fault
    assert seconds < 5
    assert peak < 10 * 2**20


def test_a_file_beyond_the_largest_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "big.yaml"
    path.write_text("a: '" + "x" * LARGEST_FILE + "'")
    with pytest.raises(StudyError, match=f"larger than {LARGEST_FILE} bytes"):
        read(path)


def test_a_file_that_is_not_there_or_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"none\.yaml: cannot be read \(No such file"):
        read(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"a: \xe9t\xe9")
    with pytest.raises(StudyError, match=r"latin\.yaml: is not UTF-8 text"):
        read(tmp_path / "latin.yaml")


def test_every_key_knows_its_line() -> None:
    document = parse("a: 1\nb:\n  c: 2\n  d:\n    - x\n    - y: 3\n", path=FILE)
    assert document.where(("b", "d", 1, "y")) == "study.yaml:6"
    assert document.where(("b", "d", 1, "lacking")) == "study.yaml:6"
    assert document.where(("b", "lacking")) == "study.yaml:2"
    assert document.where(("lacking",)) == "study.yaml:1"


BASE = """\
study: ad
cohort: simulated-ad
training: {steps: 10}
methods:
  - {kind: hypermm}
  - {kind: late-fusion}
tune:
"""


def overridden(*settings: str) -> Document:
    return override(parse(BASE, path=FILE), settings, shorthands={"cohort": "name"})


@pytest.mark.parametrize(
    ("setting", "key", "value"),
    [
        ("training.steps=20", ("training", "steps"), 20),
        ("training.rate=3.0e-4", ("training", "rate"), 0.0003),
        ("training={batch: 2}", ("training",), {"batch": 2}),
        ("seeds=[0, 1]", ("seeds",), [0, 1]),
        ("question='a=b, c'", ("question",), "a=b, c"),
        ("question=", ("question",), None),
        ("methods.1.kind=early-fusion", ("methods", 1, "kind"), "early-fusion"),
        ("methods.0={kind: x}", ("methods", 0), {"kind": "x"}),
        ("evaluation.interval.draws=9", ("evaluation", "interval", "draws"), 9),
        ("tune.trials=3", ("tune", "trials"), 3),
        ("cohort=other", ("cohort",), "other"),
        ("cohort.seed=4", ("cohort",), {"name": "simulated-ad", "seed": 4}),
    ],
)
def test_a_setting_replaces_or_makes_the_value_of_its_key(
    setting: str, key: tuple[str | int, ...], value: object
) -> None:
    found: object = overridden(setting).values
    for part in key:
        found = found[part]  # type: ignore[index]
    assert found == value


def test_settings_leave_the_document_they_are_laid_over_as_it_was() -> None:
    document = parse(BASE, path=FILE)
    override(document, ["training.steps=20", "methods.0.kind=x", "new.key=1"])
    assert document == parse(BASE, path=FILE)


def test_the_later_setting_wins() -> None:
    assert overridden("training.steps=1", "training={steps: 2}").values["training"] == {"steps": 2}
    assert overridden("training={}", "training.steps=3").values["training"] == {"steps": 3}


@pytest.mark.parametrize(
    ("setting", "fault"),
    [
        ("steps", "--set steps: write key.sub=value"),
        ("=3", "--set =3: write key.sub=value"),
        ("a..b=3", "--set a..b=3: write key.sub=value"),
        ("a.=3", "--set a.=3: write key.sub=value"),
        ("methods.2.kind=x", "methods is a list of 2; name an element by its index"),
        ("methods.-1.kind=x", "methods is a list of 2; name an element by its index"),
        ("methods.first.kind=x", "methods is a list of 2; name an element by its index"),
        ("methods.²=x", "methods is a list of 2; name an element by its index"),
        ("study.name=x", "study is 'ad', which has no keys"),
        ("training.steps.more=x", "training.steps is 10, which has no keys"),
        ("a=[1", "--set a=[1: "),
        ("a=no", "--set a=no: the file: 'no' is a truth value"),
        ("a=*x", "anchors and aliases"),
    ],
)
def test_a_setting_that_cannot_be_laid_over_is_named(setting: str, fault: str) -> None:
    with pytest.raises(StudyError, match=re.escape(fault)) as caught:
        overridden(setting)
    assert str(caught.value).startswith(f"--set {setting}: ")
    assert len(str(caught.value).splitlines()) == 1


def test_a_value_that_was_set_is_found_at_its_setting_and_the_rest_in_the_file() -> None:
    document = overridden("training={steps: 2, batch: 3}", "methods.0.kind=x")
    assert document.where(("training", "steps")) == "--set training={steps: 2, batch: 3}"
    assert document.where(("methods", 0, "kind")) == "--set methods.0.kind=x"
    assert document.where(("methods", 1, "kind")) == "study.yaml:6"


def test_a_key_is_spelled_as_a_setting_writes_it() -> None:
    assert spell(("methods", 0, "kind")) == "methods.0.kind"
    assert spell(()) == "the file"
