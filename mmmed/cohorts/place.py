"""The folders of a cohort: subjects, and below them the sessions that may become cases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mmmed.cohorts.cohort import Fault
from mmmed.cohorts.root import named_folder
from mmmed.cohorts.visit import session_key
from mmmed.errors import NothingReadable
from mmmed.readers.entities import VOLUME_ENDINGS

IGNORED = (".", "Thumbs.db")
"""Beginnings of names that file managers leave behind: `._*`, `.DS_Store`."""


@dataclass(frozen=True)
class Place:
    """The folder of one case."""

    folder: Path
    subject: str
    session: str | None

    @property
    def case(self) -> str:
        """`sub-001_ses-M000` or `sub-001`."""
        return self.subject if self.session is None else f"{self.subject}_{self.session}"


def checked_root(root: Path | None, name: str, *, below: str, what: str) -> Path:
    """The root of a cohort that holds subjects.

    Raises:
        StudyError: none is named.
        NothingReadable: it is no folder, cannot be read, or holds no subject.
    """
    root = named_folder(root, cohort=name, holds=f"{what} files")
    try:
        if not any(subjects(root / below)):
            wanted = f"{below}/sub-*".lstrip("./")
            raise NothingReadable(f"{root}: holds no {wanted} folder; name a {what} folder")
    except OSError as error:
        raise NothingReadable(f"{root}: cannot be read ({error.strerror})") from error
    return root


def subjects(folder: Path) -> Iterator[Path]:
    """The folders of subjects, by name."""
    return (path for path in listed(folder) if path.name.startswith("sub-") and path.is_dir())


def listed(folder: Path) -> list[Path]:
    """What lies in a folder, by name, without what file managers leave behind."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if not path.name.startswith(IGNORED))


def places_of(folder: Path, faults: list[Fault]) -> list[Place]:
    """Session folders of a subject, or its own; two names for one session are refused both."""
    sessions = [path for path in listed(folder) if path.name.startswith("ses-") and path.is_dir()]
    if not sessions:
        return [Place(folder, folder.name, None)]
    for path in listed(folder):
        if path not in sessions and any(one.name.endswith(VOLUME_ENDINGS) for one in listed(path)):
            reason = f"{path.name} stands beside its sessions; move it into one"
            faults.append(Fault(folder.name, None, reason))
    keyed: dict[str, list[Path]] = {}
    for path in sessions:
        keyed.setdefault(session_key(path.name), []).append(path)
    for paths in keyed.values():
        if len(paths) > 1:
            names = " and ".join(path.name for path in paths)
            faults.append(Fault(folder.name, None, f"{names} name one session; keep one"))
    return [
        Place(paths[0], folder.name, paths[0].name) for paths in keyed.values() if len(paths) == 1
    ]
