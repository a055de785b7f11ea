"""The YAML that ships with mmmed, and the YAML of the user's workspace.

folder      one of `cohorts`, `transforms`, `pipelines`
name        a file's path below its folder without `.yaml`: `ad/missing-pet`
workspace   the nearest parent directory that holds all three folders
library     the shipped folders: in `mmmed/_library/` when installed, at the root of a clone

A name is looked up in the workspace first, then in the library.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mmmed.config import nearest
from mmmed.errors import StudyError

Folder = Literal["cohorts", "transforms", "pipelines"]
FOLDERS: tuple[Folder, ...] = ("cohorts", "transforms", "pipelines")


@dataclass(frozen=True)
class Found:
    """A YAML of the workspace or the library; `digest` is the SHA-256 of its bytes."""

    name: str
    path: Path
    origin: Literal["workspace", "library", "file"]
    digest: str


def library() -> Path:
    """The directory of the shipped folders."""
    package = Path(__file__).resolve().parent
    shipped = package / "_library"
    return shipped if shipped.is_dir() else package.parent


def workspace(start: Path) -> Path | None:
    """The nearest of `start` and its parents that holds all three folders."""
    start = start.resolve()
    for directory in (start, *start.parents):
        if all((directory / folder).is_dir() for folder in FOLDERS):
            return directory
    return None


def find(folder: Folder, name: str, *, start: Path | None) -> Found:
    """The YAML called `name`.

    Args:
        folder: where it belongs.
        name: `ad/missing-pet`, or a path that ends in `.yaml` (taken as it is).
        start: where the search for a workspace begins; None reads the library alone.

    Raises:
        StudyError: there is no such file; the message gives the nearest name.
    """
    if name.endswith((".yaml", ".yml")):
        return _found(name, Path(name), "file")
    if name.startswith("/") or ".." in name.split("/"):
        raise StudyError(f"{folder}: {name!r} leads out of the folder; give a path with .yaml")
    for origin, root in _roots(start):
        path = root / folder / f"{name}.yaml"
        if path.is_file():
            return _found(name, path, origin)
    known = names(folder, start=start)
    raise StudyError(f"{folder}/{name}.yaml: no such file{nearest(name, known)}")


def names(folder: Folder, *, start: Path | None) -> list[str]:
    """Every name of a folder, workspace and library together."""
    bases = [root / folder for _, root in _roots(start)]
    found = {
        path.relative_to(base).with_suffix("").as_posix()
        for base in bases
        for path in base.rglob("*.yaml")
    }
    return sorted(found)


def copy(destination: Path) -> list[Path]:
    """Make `destination` a workspace: copy the shipped folders into it.

    Returns:
        The files written.

    Raises:
        StudyError: one of the files is there already (nothing is written then), or the
            directory cannot be written to.
    """
    pairs = [
        (path, destination / folder / path.relative_to(library() / folder))
        for folder in FOLDERS
        for path in sorted((library() / folder).rglob("*"))
        if path.suffix in (".yaml", ".md")
    ]
    present = [target for _, target in pairs if target.exists()]
    if present:
        raise StudyError(f"{present[0]}: is there already; choose an empty directory")
    try:
        for source, target in pairs:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    except OSError as error:
        raise StudyError(f"{destination}: cannot be written to ({error.strerror})") from error
    return [target for _, target in pairs]


def _roots(start: Path | None) -> list[tuple[Literal["workspace", "library"], Path]]:
    roots: list[tuple[Literal["workspace", "library"], Path]] = [("library", library())]
    local = workspace(start) if start else None
    if local and local != library():
        roots.insert(0, ("workspace", local))
    return roots


def _found(name: str, path: Path, origin: Literal["workspace", "library", "file"]) -> Found:
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise StudyError(f"{path}: cannot be read ({error.strerror})") from error
    return Found(name=name, path=path, origin=origin, digest=digest)
