"""The study of a run in plain values: `study.yaml`, as far as the report speaks of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml


@dataclass(frozen=True)
class Outline:
    """What was to be done; what is not recorded is empty.

    Attributes:
        values: the whole document.
        question: as the study states it.
        methods: their settings, in the order of the study.
        train: the train protocols, in its order.
        test: the test protocols.
    """

    values: Mapping[str, Any]
    question: str
    methods: Sequence[Mapping[str, Any]]
    train: Sequence[Mapping[str, Any]]
    test: Sequence[Mapping[str, Any]]

    @property
    def imputing(self) -> tuple[str, ...]:
        """Names of the methods that fill what is missing before they classify."""
        return tuple(str(one.get("name")) for one in self.methods if one.get("imputer"))

    def part(self, name: str) -> Mapping[str, Any]:
        """A key of the document that holds keys of its own."""
        return _mapping(self.values.get(name))


def outline(study: str | None) -> Outline:
    """The outline of a document, whatever it is: a report is made of broken runs as well."""
    try:
        values = _mapping(yaml.safe_load(study or ""))
    except yaml.YAMLError:
        values = {}
    protocols = _mapping(values.get("protocols"))
    return Outline(
        values=values,
        question=str(values.get("question") or ""),
        methods=_mappings(values.get("methods")),
        train=_mappings(protocols.get("train")),
        test=_mappings(protocols.get("test")),
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
