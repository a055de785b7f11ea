"""From YAML to frozen Specs, with the file and line of every fault.

Spec    a frozen pydantic model that refuses unknown keys; `kind` chooses among several
fault   one line `file:line: key: what is wrong`; all faults of a file are raised together

The YAML read here is a plain tree: no aliases, no duplicate keys, no tags, and no scalar that
YAML 1.1 reads otherwise than people do (`no`, `3e-4`, `1:30`, `010`, dates).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from mmmed.errors import StudyError, join

Key = tuple[str | int, ...]

LARGEST_FILE = 1 << 20
"""Bytes of the largest YAML read: shipped ones are below 4 KiB."""

DEEPEST = 20
"""Levels of nesting read; the grammar needs six."""

_NOT_WHAT_IT_LOOKS = re.compile(
    r"(?P<switch>yes|no|on|off|y|n)"
    r"|(?P<number>[-+]?(\d[\d_]*)?\.?\d*[eE][-+]?\d+)"
    r"|(?P<clock>[-+]?\d+(:[0-5]?\d)+(\.\d*)?)"
    r"|(?P<octal>[-+]?0\d+)"
    r"|(?P<date>\d{4}-\d\d?-\d\d?([Tt ].*)?)",
    re.IGNORECASE,
)


class Spec(BaseModel):
    """A frozen settings object; unknown keys are faults."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


S = TypeVar("S", bound=Spec)


@dataclass(frozen=True)
class Document:
    """A parsed YAML: plain values, and the line on which each key stands."""

    path: Path
    values: dict[str, Any]
    lines: Mapping[Key, int] = field(repr=False)

    def where(self, key: Key) -> str:
        """`file:line` of a key, or of the nearest parent that stands in the file."""
        while key and key not in self.lines:
            key = key[:-1]
        return f"{self.path}:{self.lines.get(key, 1)}"


def read(path: Path) -> Document:
    """The YAML mapping in `path`.

    Raises:
        StudyError: the file cannot be read, is no mapping, or holds what the grammar leaves out.
    """
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise StudyError(f"{path}: larger than {LARGEST_FILE} bytes; this is no mmmed YAML")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError(f"{path}: cannot be read ({_reason(error)})") from error
    return parse(text, path=path)


def parse(text: str, *, path: Path) -> Document:
    """`read`, for a text that stands in for the file `path`."""
    try:
        _refuse_aliases(text, path)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        problem = getattr(error, "problem", None) or "not YAML"
        raise StudyError(f"{path}:{line}: {problem}") from error
    if not isinstance(root, yaml.MappingNode):
        raise StudyError(f"{path}:1: a mapping `key: value` is expected at the top")
    reading = _Reading(path)
    values = reading.value(root, ())
    if reading.faults:
        raise StudyError(join(reading.faults))
    return Document(path=path, values=values, lines=reading.lines)


def override(document: Document, settings: Sequence[str]) -> Document:
    """The document with `key.sub=value` settings applied; values are read as YAML.

    A list element is named by its index: `methods.0.kind=hypermm`.
    """
    values = _copied(document.values)
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or not name:
            raise StudyError(f"--set {setting}: write key.sub=value")
        value = parse(f"value: {text}", path=Path(f"--set {name}")).values["value"]
        _place(values, name.split("."), value, setting)
    return Document(path=document.path, values=values, lines=document.lines)


def validate(document: Document, spec: type[S], *, drop: Sequence[str] = ()) -> S:
    """The document as a Spec.

    Args:
        document: what was read.
        spec: the type it must fit.
        drop: top-level keys that belong to the file, not to the Spec (`mmmed`).

    Raises:
        StudyError: one line per fault, each with `file:line` and the nearest valid spelling.
    """
    values = {key: value for key, value in document.values.items() if key not in drop}
    try:
        return spec.model_validate(values)
    except ValidationError as error:
        raise StudyError(join(explain(error, spec, document.where))) from error


def explain(error: ValidationError, spec: type[Spec], where: Callable[[Key], str]) -> list[str]:
    """The faults of a validation, one line each; `where` turns a key into a place."""
    return [_fault(detail, spec, where) for detail in error.errors()]


def check_version(document: Document) -> None:
    """Raise unless the file states the schema number this program reads (`mmmed: 1`)."""
    if document.values.get("mmmed") != 1:
        raise StudyError(f"{document.where(('mmmed',))}: state `mmmed: 1`, the schema number")


def nearest(word: str, allowed: Sequence[str]) -> str:
    """`; did you mean 'x'?`, or what is allowed where nothing is near."""
    close = difflib.get_close_matches(word, allowed, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; allowed: {', '.join(allowed)}" if allowed else ""


class _Reading:
    """One walk over a YAML tree, collecting values, lines and faults."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: dict[Key, int] = {}
        self.faults: list[str] = []

    def value(self, node: yaml.Node, key: Key) -> Any:
        self.lines.setdefault(key, node.start_mark.line + 1)
        if len(key) > DEEPEST:
            self._fault(node, key, f"nested deeper than {DEEPEST} levels")
            return None
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, key)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(child, (*key, index)) for index, child in enumerate(node.value)]
        return self._scalar(node, key)

    def _mapping(self, node: yaml.MappingNode, key: Key) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name_node, child in node.value:
            name = name_node.value if isinstance(name_node, yaml.ScalarNode) else ""
            if not name:
                self._fault(name_node, key, "a key is a word")
                continue
            inner = (*key, name)
            if name in values:
                self._fault(name_node, inner, "stands twice")
            self.lines[inner] = name_node.start_mark.line + 1
            values[name] = self.value(child, inner)
        return values

    def _scalar(self, node: yaml.Node, key: Key) -> Any:
        text: str = node.value
        if node.style is None:
            looks = _NOT_WHAT_IT_LOOKS.fullmatch(text)
            if looks and not _is_plain_float(text):
                self._fault(node, key, _ambiguity(text, str(looks.lastgroup)))
                return None
        try:
            return _SCALARS[node.tag](text)
        except KeyError:
            self._fault(node, key, f"the tag {node.tag} is not part of the grammar")
        except ValueError:
            self._fault(node, key, f"{text!r} cannot be read as a value; quote it")
        return None

    def _fault(self, node: yaml.Node, key: Key, what: str) -> None:
        line = node.start_mark.line + 1
        self.faults.append(f"{self.path}:{line}: {spell(key)}: {what}")


def spell(key: Key) -> str:
    """A key as `--set` writes it: `methods.0.kind`."""
    return ".".join(str(part) for part in key) or "the file"


_SCALARS: Mapping[str, Callable[[str], Any]] = {
    "tag:yaml.org,2002:str": str,
    "tag:yaml.org,2002:int": lambda text: int(text.replace("_", ""), 0),
    "tag:yaml.org,2002:float": lambda text: float(text.replace("_", "").replace(".inf", "inf")),
    "tag:yaml.org,2002:bool": lambda text: text.lower() == "true",
    "tag:yaml.org,2002:null": lambda text: None,
}


def _is_plain_float(text: str) -> bool:
    """Whether YAML 1.1 itself reads an exponent as people do: `1.0e-3` yes, `1e-3` no."""
    return bool(re.fullmatch(r"[-+]?\d[\d_]*\.\d*[eE][-+]\d+", text))


def _ambiguity(text: str, looks: str) -> str:
    advice = {
        "switch": f"YAML reads {text!r} as true or false; write true, false or '{text}'",
        "number": f"YAML reads {text!r} as text; write it with a dot and a signed exponent, "
        "like 3.0e-4, or as a decimal",
        "clock": f"YAML reads {text!r} in base 60; quote it",
        "octal": f"YAML reads {text!r} as octal; quote it or drop the zero",
        "date": f"YAML reads {text!r} as a date; quote it",
    }
    return advice[looks]


def _refuse_aliases(text: str, path: Path) -> None:
    for event in _events(text):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            line = event.start_mark.line + 1
            raise StudyError(f"{path}:{line}: anchors and aliases (& and *) are not read; repeat")


def _events(text: str) -> Iterator[yaml.Event]:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise yaml.MarkedYAMLError(
                problem=f"nested deeper than {DEEPEST} levels", problem_mark=event.start_mark
            )
        yield event


def _place(values: Any, names: list[str], value: Any, setting: str) -> None:
    here = values
    for depth, name in enumerate(names):
        last = depth == len(names) - 1
        if isinstance(here, list):
            if not name.isdigit() or int(name) >= len(here):
                raise StudyError(
                    f"--set {setting}: {'.'.join(names[:depth])} is a list of {len(here)}; "
                    "name an element by its index"
                )
            index: Any = int(name)
        elif isinstance(here, dict):
            index = name
        else:
            raise StudyError(f"--set {setting}: {'.'.join(names[:depth])} has no keys")
        if last:
            here[index] = value
        elif isinstance(here, list):
            here = here[index]
        else:
            if isinstance(here.get(index), str) and index == "cohort":
                here[index] = {"name": here[index]}
            here = here.setdefault(index, {})


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_copied(inner) for inner in value]
    return value


def _fault(detail: Any, spec: type[Spec], where: Callable[[Key], str]) -> str:
    location = tuple(detail["loc"])
    key, owner = _follow(spec, location)
    kind, message = detail["type"], str(detail["msg"])
    if kind == "extra_forbidden":
        name = str(location[-1])
        allowed = sorted(owner.model_fields) if owner else []
        message = f"unknown key{nearest(name, allowed)}"
    elif kind == "missing":
        message = "is missing"
    elif kind == "literal_error":
        allowed = re.findall(r"'([^']*)'", detail["ctx"]["expected"])
        message = f"{detail['input']!r} is not allowed{nearest(str(detail['input']), allowed)}"
    elif kind == "union_tag_invalid":
        allowed = re.findall(r"'([^']*)'", detail["ctx"]["expected_tags"])
        key = (*key, "kind")
        message = f"unknown kind {detail['ctx']['tag']!r}{nearest(detail['ctx']['tag'], allowed)}"
    elif kind == "union_tag_not_found":
        key = (*key, "kind")
        message = "is missing"
    elif kind == "value_error":
        message = message.removeprefix("Value error, ")
    else:
        message = f"{message[0].lower()}{message[1:]}, not {_shown(detail['input'])}"
    return f"{where(key)}: {spell(key)}: {message}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _follow(spec: type[Spec], location: Key) -> tuple[Key, type[Spec] | None]:
    """The key of a pydantic location without union tags, and the Spec that owns its last part."""
    key: list[str | int] = []
    annotation: Any = spec
    owner: type[Spec] | None = None
    for part in location:
        members = list(_members(annotation))
        specs = [one for one in members if isinstance(one, type) and issubclass(one, Spec)]
        tagged = [one for one in specs if part in _tags(one)]
        if len(specs) > 1 and tagged:
            annotation = tagged[0]
            owner = tagged[0]
            continue
        owner = next((one for one in specs if part in one.model_fields), specs[0] if specs else None)
        key.append(part)
        annotation = _inside(members, owner, part)
    return tuple(key), owner


def _inside(members: Sequence[Any], owner: type[Spec] | None, part: str | int) -> Any:
    if owner and part in owner.model_fields:
        info = owner.model_fields[str(part)]
        return info.annotation
    for member in members:
        arguments = [one for one in get_args(member) if one is not Ellipsis]
        if arguments:
            return arguments[-1] if isinstance(part, str) else arguments[0]
    return None


def _members(annotation: Any) -> Iterator[Any]:
    """The alternatives of a type, through Annotated, Optional and Union."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _members(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for one in get_args(annotation):
            yield from _members(one)
    else:
        yield annotation


def _tags(spec: type[Spec]) -> tuple[str, ...]:
    info = spec.model_fields.get("kind")
    return tuple(get_args(info.annotation)) if info else ()


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or type(error).__name__
