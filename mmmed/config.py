"""From YAML to frozen Specs, with the file and line of every fault.

Spec    a frozen pydantic model that refuses unknown keys; `kind` chooses among several
fault   one line `file:line: key: what is wrong`; all faults of a file are raised together

`mmmed.document` reads the YAML; its public names are offered here as well.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, create_model

from mmmed.document import Document, Key, brief, override, parse, read, spell
from mmmed.errors import StudyError, join

__all__ = [
    "SCHEMA_NUMBER",
    "Document",
    "Key",
    "Spec",
    "check_version",
    "explain",
    "nearest",
    "override",
    "parse",
    "read",
    "schema",
    "spell",
    "validate",
]

SCHEMA_NUMBER = 1
"""What `mmmed:` at the top of a YAML must say."""


class Spec(BaseModel):
    """A frozen settings object; unknown keys are faults."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


S = TypeVar("S", bound=Spec)


def validate(document: Document, spec: type[S], *, drop: Sequence[str] = ()) -> S:
    """The document as a Spec. Nothing is converted: `true` is no number, `"3"` neither.

    Args:
        document: what was read.
        spec: the type it must fit.
        drop: top-level keys that belong to the file, not to the Spec (`mmmed`).

    Raises:
        StudyError: one line per fault, each with `file:line` and the nearest valid spelling.
    """
    values = {key: value for key, value in document.values.items() if key not in drop}
    try:
        text = json.dumps(values, ensure_ascii=False).encode()
        return spec.model_validate_json(text, strict=True)
    except UnicodeEncodeError as error:
        name = error.object[: error.end].rpartition('"')[2].encode("utf-8", "backslashreplace")
        raise StudyError(
            f"{name.decode()}...: is no UTF-8; reach it by a link of another name"
        ) from error
    except ValidationError as error:
        raise StudyError(join(explain(error, spec, document.where))) from error


def explain(error: ValidationError, spec: type[Spec], where: Callable[[Key], str]) -> list[str]:
    """The faults of a validation, one line each; `where` turns a key into a place."""
    faults = _best_fits([_fault(detail, spec) for detail in _stated(error.errors())])
    return [f"{where(fault.key)}: {spell(fault.key)}: {fault.text}" for fault in faults]


def check_version(document: Document) -> None:
    """Raise unless the file states the schema number this program reads (`mmmed: 1`)."""
    stated = document.values.get("mmmed")
    if type(stated) is not int or stated != SCHEMA_NUMBER:
        place = document.where(("mmmed",))
        raise StudyError(f"{place}: state `mmmed: {SCHEMA_NUMBER}`, the schema number")


def nearest(word: str, allowed: Iterable[str]) -> str:
    """`; did you mean 'x'?`, or what is allowed where nothing is near."""
    spelled = {one.casefold(): one for one in allowed}
    close = difflib.get_close_matches(word.casefold(), spelled, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {spelled[close[0]]!r}?"
    return f"; allowed: {', '.join(spelled.values())}" if spelled else ""


def schema(*specs: type[Spec]) -> dict[str, Any]:
    """The JSON Schema of a YAML file that holds one of these Specs, `mmmed: 1` included.

    Args:
        specs: one, or several that are told apart by `kind`.
    """
    number: Any = Literal[SCHEMA_NUMBER]
    files = [
        create_model(f"{one.__name__}File", __base__=one, mmmed=(number, ...)) for one in specs
    ]
    held: Any = files[0]
    if len(files) > 1:
        held = Annotated[Union[tuple(files)], Field(discriminator="kind")]  # noqa: UP007 - built
    described = TypeAdapter(held).json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **described}


@dataclass(frozen=True)
class _Fault:
    """One fault of a validation.

    Attributes:
        location: as pydantic gives it, with the names of the members of unions.
        key: the same without them.
        text: what is wrong, without where.
        union: the location of the innermost union without `kind` around the value.
        wanted: what the value should be, where it is of the wrong type altogether.
    """

    location: Key
    key: Key
    text: str
    union: Key | None
    wanted: str | None

    def fits(self, union: Key) -> bool:
        """Whether the value is a faulty member of the union, rather than none at all."""
        return self.wanted is None or len(self.location) > len(union) + 1


def _stated(details: Sequence[Any]) -> list[Any]:
    """Pydantic's errors, but not that a list is too short without those of its parts at fault."""
    return [
        detail
        for detail in details
        if detail["type"] != "too_short"
        or not any(_stands_below(other["loc"], detail["loc"]) for other in details)
    ]


def _stands_below(inner: Key, outer: Key) -> bool:
    return len(inner) > len(outer) and inner[: len(outer)] == outer


def _best_fits(faults: Sequence[_Fault]) -> Iterator[_Fault]:
    """Of the faults in a union, those of the members the value is closest to.

    A value that is no member at all has one fault, which names what it could be.
    """
    for fault in faults:
        union = fault.union
        if union is None or fault.fits(union):
            yield fault
            continue
        family = [one for one in faults if one.location[: len(union)] == union]
        if fault is family[0] and not any(one.fits(union) for one in family):
            wanted = " or ".join(str(one.wanted) for one in family)
            yield replace(fault, text=fault.text.replace(str(fault.wanted), wanted, 1))


def _fault(detail: Any, spec: type[Spec]) -> _Fault:
    """A pydantic error in our words, its location followed through the types of the Spec."""
    location: Key = detail["loc"]
    key: Key = ()
    union: Key | None = None
    owner: Any = None
    annotation: Any = spec
    for place, part in enumerate(location):
        members = _members(annotation)
        tagged = [member for member in members if part in _kinds(member)]
        if len(members) > 1:
            annotation = tagged[0] if tagged else _labelled(members, str(part))
            union = union if tagged else location[:place]
        elif part != "[key]":
            owner = members[0]
            annotation = _inside(owner, part)
            key = (*key, part)
    if detail["type"] in ("union_tag_invalid", "union_tag_not_found"):
        key = (*key, detail["ctx"]["discriminator"].strip("'"))
    return _Fault(
        location=location,
        key=key,
        text=_text(detail, allowed=_allowed(detail, owner, annotation)),
        union=union,
        wanted=_WANTED.get(detail["type"]),
    )


_WANTED = {
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "float_type": "a number",
    "int_type": "a whole number",
    "list_type": "a list",
    "model_type": "a mapping",
    "path_type": "a path",
    "string_type": "text",
    "tuple_type": "a list",
}


def _text(detail: Any, *, allowed: Sequence[str]) -> str:
    kind, value = detail["type"], detail["input"]
    if kind in _WANTED:
        return f"should be {_WANTED[kind]}, not {brief(value)}"
    if kind == "too_short":
        return f"should list at least {detail['ctx']['min_length']}; it is {brief(value)}"
    if kind == "extra_forbidden":
        return f"unknown key{nearest(str(detail['loc'][-1]), allowed)}"
    if kind == "missing":
        return "is missing"
    if kind == "union_tag_not_found":
        return f"is missing; allowed: {', '.join(allowed)}"
    if kind == "union_tag_invalid":
        tag = detail["ctx"]["tag"]
        return f"unknown kind {brief(tag)}{nearest(str(tag), allowed)}"
    if kind == "literal_error":
        return f"{brief(value)} is not allowed{nearest(str(value), allowed)}"
    if kind == "string_pattern_mismatch":
        return f"{brief(value)} does not match {detail['ctx']['pattern']}"
    message = " ".join(detail["msg"].removeprefix("Value error, ").split())
    if kind == "value_error":
        return message
    return f"{message.removeprefix('Input ')}; it is {brief(value)}"


def _allowed(detail: Any, owner: Any, annotation: Any) -> list[str]:
    """What could stand in the place of a wrong word."""
    if detail["type"] == "extra_forbidden":
        return sorted(getattr(owner, "model_fields", ()))
    if detail["type"].startswith("union_tag"):
        return [kind for member in _members(annotation) for kind in _kinds(member)]
    if detail["type"] == "literal_error":
        return re.findall(r"'([^']*)'", detail["ctx"]["expected"]) or [detail["ctx"]["expected"]]
    return []


def _members(annotation: Any) -> list[Any]:
    """The members of a union, None apart; the type itself where it is no union."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _members(get_args(annotation)[0])
    if origin not in (Union, UnionType):
        return [annotation]
    members = [one for one in get_args(annotation) if one is not NoneType]
    return members if len(members) > 1 else _members(members[0])


def _labelled(members: Sequence[Any], label: str) -> Any:
    """The member of a union that pydantic calls `label`, like `tuple[constrained-float, ...]`."""

    def first_mention(member: Any) -> int:
        inner = _members(member)[0]
        place = label.find(getattr(get_origin(inner) or inner, "__name__", label + "?"))
        return place if place >= 0 else len(label)

    return min(members, key=first_mention)


def _inside(owner: Any, part: str | int) -> Any:
    """The type of the value that a container or Spec holds under a key."""
    if isinstance(owner, type) and issubclass(owner, Spec):
        field = owner.model_fields.get(str(part))
        return field.annotation if field else None
    arguments = get_args(owner)
    if not arguments:
        return None
    if get_origin(owner) is tuple and arguments[-1] is not Ellipsis:
        return arguments[int(part)]
    return arguments[-1] if isinstance(part, str) else arguments[0]


def _kinds(member: Any) -> tuple[str, ...]:
    """The values of `kind` that choose a Spec."""
    if not (isinstance(member, type) and issubclass(member, Spec)):
        return ()
    field = member.model_fields.get("kind")
    return get_args(field.annotation) if field else ()
