"""Names as MLflow takes them, and nested settings as such names.

path    the parts of a name: keys and places in lists, outermost first
name    the parts joined: letters, digits and `_ - . : /` and spaces, of at most `LONGEST`
        characters; two paths never share one
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

LONGEST = 250
"""Characters of a name that all of MLflow's stores take."""
LONGEST_VALUE = 500
"""Characters: MLflow's oldest supported stores refuse longer values."""
_WORDS = {"+": "_and_", "*": "all", "%": "_percent"}
_UNKNOWN = re.compile(r"[^\w.\- :]")

Path = tuple[str, ...]


def leaves(values: Mapping[str, Any], above: Path = ()) -> dict[Path, str]:
    """The settings of a nested mapping as text, by path; lists of plain values are one setting."""
    found: dict[Path, str] = {}
    for key, value in values.items():
        path = (*above, str(key))
        if isinstance(value, Mapping):
            found |= leaves(value, path)
        elif isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
            found |= leaves({str(index): one for index, one in enumerate(value)}, path)
        else:
            found[path] = str(value)[:LONGEST_VALUE]
    return found


def flattened(values: Mapping[str, Any]) -> dict[str, str]:
    """Nested settings as `a.b.0.c` -> text."""
    return {".".join(path): text for path, text in leaves(values).items()}


def names(paths: Iterable[Path], *, joint: str) -> dict[Path, str]:
    """A name for each path.

    Other characters are replaced. Where that would give two paths one name, and where a name is
    too long, the digest of the path stands at its end.

    Args:
        paths: may repeat.
        joint: stands between parts: `.` or `/`.
    """
    wanted: dict[str, list[Path]] = defaultdict(list)
    for path in dict.fromkeys(paths):
        wanted[joint.join(_plain(part) for part in path)].append(path)
    return {
        path: name if _is_good(name, path, alike, joint) else _marked(name, path)
        for name, alike in wanted.items()
        for path in alike
    }


def _is_good(name: str, path: Path, alike: list[Path], joint: str) -> bool:
    exact = len(alike) == 1 or (path == tuple(name.split(joint)))
    return exact and len(name) <= LONGEST


def _marked(name: str, path: Path) -> str:
    mark = hashlib.sha256("\0".join(path).encode()).hexdigest()[:16]
    return f"{name[: LONGEST - len(mark) - 1]}-{mark}"


def _plain(part: str) -> str:
    """A part without characters that MLflow refuses, and none that it reads as a folder."""
    for sign, word in _WORDS.items():
        part = part.replace(sign, word)
    return "_" if part in {"", ".", ".."} else _UNKNOWN.sub("_", part)
