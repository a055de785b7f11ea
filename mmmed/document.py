"""YAML as plain values, with the line on which each key stands.

document   a parsed YAML file: mappings, lists and scalars, nothing else
key        the path of a value inside it: `("methods", 0, "kind")`, spelled `methods.0.kind`
setting    `key.sub=value` from the command line, laid over a document

What is read is a plain tree: no aliases, no tags, no key twice, and no scalar that YAML 1.1 reads
otherwise than people do (`no`, `3e-4`, `1:30`, `010`, dates). All such faults are raised together.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from mmmed.errors import StudyError, join

Key = tuple[str | int, ...]
Place = Callable[[int], str]
"""From a line number to what an error message calls it."""

LARGEST_FILE = 64 * 1024
"""Bytes of the largest YAML read; shipped ones are below 4 KiB."""

DEEPEST = 20
"""Levels of nesting read; the grammar needs six."""

NO_SHORTHANDS: Mapping[str, str] = {}


@dataclass(frozen=True)
class Document:
    """A parsed YAML.

    Attributes:
        path: the file it came from.
        values: its plain values.
        lines: key -> the line it stands on.
        settings: key -> the command-line setting that put the value there.
    """

    path: Path
    values: dict[str, Any]
    lines: Mapping[Key, int] = field(repr=False)
    settings: Mapping[Key, str] = field(default_factory=dict, repr=False)

    def where(self, key: Key) -> str:
        """`file:line` of a key, or of its nearest parent in the file; `--set ...` where set."""
        for end in range(len(key), -1, -1):
            if key[:end] in self.settings:
                return f"--set {self.settings[key[:end]]}"
            if key[:end] in self.lines:
                return f"{self.path}:{self.lines[key[:end]]}"
        return f"{self.path}:1"


def read(path: Path) -> Document:
    """The YAML mapping in `path`.

    Raises:
        StudyError: the file cannot be read, is no mapping, or holds what the grammar leaves out.
    """
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise StudyError(f"{path}: larger than {LARGEST_FILE} bytes; this is no mmmed YAML")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise StudyError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise StudyError(f"{path}: is not UTF-8 text; save it as UTF-8") from error
    return parse(text, path=path)


def parse(text: str, *, path: Path) -> Document:
    """`read`, for a text that stands in for the file `path`."""
    values, lines = _plain(text, lambda line: f"{path}:{line}")
    if not isinstance(values, dict):
        raise StudyError(f"{path}:1: a mapping `key: value` is expected at the top")
    return Document(path=path, values=values, lines=lines)


def override(
    document: Document,
    settings: Sequence[str],
    *,
    shorthands: Mapping[str, str] = NO_SHORTHANDS,
) -> Document:
    """The document with `key.sub=value` settings laid over it, the later over the earlier.

    Args:
        document: what was read; it is not changed.
        settings: values are read as YAML, so `seeds=[0, 1]` is a list. An element of a list is
            named by its index: `methods.0.kind=hypermm`. A key that is not there is made.
        shorthands: key -> the field that a single value in its place stands for: with
            `{"cohort": "name"}`, `cohort: x` takes the setting `cohort.seed=1` as
            `cohort: {name: x, seed: 1}`.

    Raises:
        StudyError: a setting is malformed, or its key leads into a value that has no keys.
    """
    for setting in settings:
        document = _set(document, setting, shorthands)
    return document


def spell(key: Key) -> str:
    """A key as a setting writes it: `methods.0.kind`."""
    return ".".join(str(part) for part in key) or "the file"


def brief(value: object) -> str:
    """A plain value as YAML spells it, cut to what fits in a message."""
    text = "null" if value is None else repr(value)
    text = text.lower() if isinstance(value, bool) else text
    return text if len(text) <= 60 else f"{text[:57]}..."


def _set(document: Document, setting: str, shorthands: Mapping[str, str]) -> Document:
    name, equals, text = setting.partition("=")
    names = name.split(".")
    if not equals or not all(names):
        raise StudyError(f"--set {setting}: write key.sub=value")
    value, _ = _plain(text, lambda _: f"--set {setting}")
    values, key = _replaced(document.values, names, value, _Setting(setting, shorthands))
    kept = {one: line for one, line in document.lines.items() if one[: len(key)] != key}
    earlier = {one: text for one, text in document.settings.items() if one[: len(key)] != key}
    return Document(document.path, values, kept, {**earlier, key: setting})


@dataclass(frozen=True)
class _Setting:
    text: str
    shorthands: Mapping[str, str]

    def fault(self, above: Key, what: str) -> StudyError:
        return StudyError(f"--set {self.text}: {spell(above)} {what}")


def _replaced(
    here: Any, names: Sequence[str], value: Any, setting: _Setting, above: Key = ()
) -> tuple[Any, Key]:
    """A copy of `here` in which the value called `names` is replaced, and its full key."""
    if not names:
        return value, above
    inside, part = _opened(here, names[0], setting, above)
    inner = inside[part] if isinstance(part, int) else inside.get(part)
    inside[part], key = _replaced(inner, names[1:], value, setting, (*above, part))
    return inside, key


def _opened(here: Any, name: str, setting: _Setting, above: Key) -> tuple[Any, str | int]:
    """A copy of a value that has keys, and `name` as one of them."""
    if isinstance(here, list):
        if not name.isdecimal() or int(name) >= len(here):
            size = len(here)
            raise setting.fault(above, f"is a list of {size}; name an element by its index")
        return list(here), int(name)
    if isinstance(here, dict):
        return dict(here), name
    if here is None:
        return {}, name
    shorthand = setting.shorthands.get(spell(above))
    if shorthand is None:
        raise setting.fault(above, f"is {brief(here)}, which has no keys")
    return {shorthand: here}, name


def _plain(text: str, place: Place) -> tuple[Any, dict[Key, int]]:
    """The values of a YAML text and the lines of its keys."""
    try:
        _refuse_all_but_trees(text, place)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise StudyError(_not_yaml(error, place)) from error
    walk = _Walk(place)
    values = None if root is None else walk.value(root, ())
    if walk.faults:
        raise StudyError(join(walk.faults))
    return values, walk.lines


def _refuse_all_but_trees(text: str, place: Place) -> None:
    """Look at the flat stream of events, before anything is expanded or recursed into."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        where = place(_line(event))
        if depth > DEEPEST:
            raise StudyError(f"{where}: nested deeper than {DEEPEST} levels; make it flatter")
        if getattr(event, "anchor", None):
            raise StudyError(f"{where}: anchors and aliases (& and *) are not read; repeat")
        if getattr(event, "tag", None):
            raise StudyError(f"{where}: tags (!) are not read; write plain values")


class _Walk:
    """One walk over a YAML tree, collecting lines and faults."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.lines: dict[Key, int] = {}
        self.faults: list[str] = []

    def value(self, node: yaml.Node, key: Key) -> Any:
        self.lines.setdefault(key, _line(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, key)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(child, (*key, index)) for index, child in enumerate(node.value)]
        return self._scalar(node, key)

    def _mapping(self, node: yaml.MappingNode, key: Key) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, child in node.value:
            if not isinstance(name, yaml.ScalarNode) or not name.value:
                self._fault(name, key, "a key is a word")
                continue
            inner = (*key, name.value)
            if name.value in values:
                self._fault(name, inner, f"stands twice, first on line {self.lines[inner]}")
                continue
            self.lines[inner] = _line(name)
            values[name.value] = self.value(child, inner)
        return values

    def _scalar(self, node: yaml.Node, key: Key) -> Any:
        if getattr(node, "style", None) is None:
            advice = _ambiguity(node.value, node.tag)
            if advice:
                self._fault(node, key, f"{brief(node.value)} {advice}")
                return None
        try:
            return _SCALARS[node.tag](node.value)
        except (KeyError, ValueError):
            self._fault(node, key, f"{brief(node.value)} cannot be read as a value; quote it")
            return None

    def _fault(self, node: yaml.Node, key: Key, what: str) -> None:
        self.faults.append(f"{self.place(_line(node))}: {spell(key)}: {what}")


_AMBIGUOUS = re.compile(
    r"(?P<switch>yes|no|on|off|y|n)"
    r"|(?P<exponent>[-+]?(\d[\d_]*\.?[\d_]*|\.\d[\d_]*)e[-+]?\d+)"
    r"|(?P<clock>[-+]?\d[\d_]*(:[0-5]?\d)+(\.[\d_]*)?)"
    r"|(?P<zero>[-+]?0o?[\d_]+)"
    r"|(?P<date>\d{4}-\d\d?-\d\d?([Tt\s].*)?)",
    re.IGNORECASE,
)

_ADVICE = {
    "switch": "is a truth value to some readers of YAML; write true or false, or quote it",
    "exponent": "is text to YAML 1.1; write a dot and a signed exponent, like 3.0e-4",
    "clock": "is a number in base 60 to YAML 1.1; quote it",
    "zero": "starts with a zero, which YAML 1.1 takes for octal; quote it or drop the zero",
    "date": "is a date to YAML; quote it",
}

_FLOAT = "tag:yaml.org,2002:float"


def _ambiguity(text: str, tag: str) -> str | None:
    """What to do about an unquoted scalar that people and YAML read differently."""
    looks = _AMBIGUOUS.fullmatch(text)
    if looks is None or looks.lastgroup is None:
        return None
    reads_as_people_do = looks.lastgroup == "exponent" and tag == _FLOAT
    return None if reads_as_people_do else _ADVICE[looks.lastgroup]


def _finite(text: str) -> float:
    number = float(text.replace("_", ""))
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _null(_: str) -> None:
    return None


_SCALARS: Mapping[str, Callable[[str], Any]] = {
    "tag:yaml.org,2002:str": str,
    "tag:yaml.org,2002:int": lambda text: int(text, 0),
    _FLOAT: _finite,
    "tag:yaml.org,2002:bool": lambda text: text.lower() == "true",
    "tag:yaml.org,2002:null": _null,
}


def _not_yaml(error: yaml.YAMLError, place: Place) -> str:
    mark = getattr(error, "problem_mark", None)
    parts = (getattr(error, name, None) for name in ("context", "problem", "reason"))
    what = ", ".join(part for part in parts if part) or "not YAML"
    return f"{place(mark.line + 1 if mark else 1)}: {what}"


def _line(marked: yaml.Node | yaml.Event) -> int:
    return marked.start_mark.line + 1 if marked.start_mark else 1
