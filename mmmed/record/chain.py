"""`chain.json`: the SHA-256 of every file of a run and of everything it read.

link    what one command added: `by`, `files`, and `previous`, the digest of the link before it;
        the first link has no previous one and also holds `inputs`
chain   the links, first to last; it is written last and only ever grows

What an interrupted write left behind (`atomic.UNFINISHED`) is no file of the run, nor is a lock.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmmed.errors import RunError
from mmmed.record import atomic, digest, lock

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
    """The links of a run, first to last.

    Raises:
        RunError: there is no chain, it is none that this version reads, or a link does not hold
            the digest of the link before it.
    """
    path = run / NAME
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RunError(f"{path}: no chain here; the run did not end ({error.strerror})") from error
    except ValueError as error:
        raise RunError(f"{path}: is no JSON; the chain was damaged") from error
    if not isinstance(value, dict) or value.get("version") != VERSION:
        raise RunError(f"{path}: is no chain of version {VERSION}; read it with the mmmed it is of")
    links = value.get("links")
    if not isinstance(links, list) or not links or not all(_is_link(link) for link in links):
        raise RunError(f"{path}: holds no links; the chain was damaged")
    _check_order(path, links)
    return links


def _is_link(link: Any) -> bool:
    return isinstance(link, dict) and "previous" in link and isinstance(link.get("files"), dict)


def _check_order(path: Path, links: list[dict[str, Any]]) -> None:
    expected = [None, *(digest.of_value(link) for link in links[:-1])]
    for number, (link, previous) in enumerate(zip(links, expected, strict=True)):
        if link["previous"] != previous:
            raise RunError(f"{path}: link {number} does not follow the one before; it was changed")


def _files(run: Path, *, known: set[str]) -> dict[str, str]:
    names = (
        path.relative_to(run).as_posix()
        for path in run.rglob("*")
        if path.is_file()
        and not path.name.startswith(atomic.UNFINISHED)
        and lock.FOLDER not in path.relative_to(run).parts
    )
    return {
        name: digest.of_file(run / name)
        for name in sorted(names)
        if name != NAME and name not in known
    }


def _save(run: Path, links: list[dict[str, Any]]) -> None:
    atomic.write_json(run / NAME, {"version": VERSION, "links": links})
