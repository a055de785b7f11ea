"""`chain.json`: the SHA-256 of every file of a run and of everything it read.

The chain is written last. It is append-only: a later command adds its own file and one link; a
link holds the digest of the link before it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmmed.errors import RunError
from mmmed.record import atomic, digest

NAME = "chain.json"
VERSION = 1


def write(run: Path, *, inputs: Mapping[str, str], by: str) -> None:
    """Close a run: its first link.

    Args:
        run: the run folder; every file in it but the chain is digested.
        inputs: what the run read -> SHA-256.
        by: the command that made the run.
    """
    link = {"by": by, "previous": None, "inputs": dict(inputs), "files": _files(run, known=set())}
    _save(run, [link])


def append(run: Path, *, by: str) -> None:
    """Add a link for the files that are new since the last one.

    Raises:
        RunError: the run has no chain.
    """
    links = read(run)
    known = {name for link in links for name in link["files"]}
    files = _files(run, known=known)
    _save(run, [*links, {"by": by, "previous": digest.of_value(links[-1]), "files": files}])


def read(run: Path) -> list[dict[str, Any]]:
    """The links of a run.

    Raises:
        RunError: there is no chain, or it is none that this version reads.
    """
    path = run / NAME
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        if value["version"] != VERSION or not value["links"]:
            raise RunError(f"{path}: version {value['version']} cannot be read; {VERSION} can")
        links: list[dict[str, Any]] = value["links"]
    except OSError as error:
        raise RunError(f"{path}: no chain here; the run did not end ({error.strerror})") from error
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path}: is no chain ({error})") from error
    return links


def _files(run: Path, *, known: set[str]) -> dict[str, str]:
    names = (path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file())
    return {
        name: digest.of_file(run / name)
        for name in sorted(names)
        if name != NAME and name not in known
    }


def _save(run: Path, links: list[dict[str, Any]]) -> None:
    atomic.write_json(run / NAME, {"version": VERSION, "links": links})
