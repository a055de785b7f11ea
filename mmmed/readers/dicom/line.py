"""Text that a file brought along, as one printable line.

Control characters, line ends, marks that turn the direction of writing and broken encodings would
let a file write into tables, terminals and reports; here they end.
"""

from __future__ import annotations

import os
import unicodedata
from pathlib import PurePath

LONGEST = 160
"""Characters kept; DICOM allows 64 in most texts."""

LONGEST_REASON = 600


def one_line(text: str, *, longest: int = LONGEST) -> str:
    """The text on one line, printable, of at most `longest` characters."""
    head = text[: 4 * longest]
    plain = "".join(one if _shown(one) else " " for one in head)
    line = " ".join(plain.split())
    short = len(line) <= longest and len(text) <= len(head)
    return line if short else line[: longest - 1] + "…"


def reason_line(text: str, root: PurePath) -> str:
    """A reason as tables keep it: on one line, with paths as seen from the folder that is read."""
    return one_line(text.replace(f"{root}{os.sep}", ""), longest=LONGEST_REASON)


def shown_path(path: PurePath | str) -> str:
    r"""A path as text that UTF-8 can hold: bytes that are no text are written as `\x..`."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(one if _in_path(one) else _escaped(one) for one in text)


def _shown(character: str) -> bool:
    """Letters, marks, digits, signs and the blank; no control, format or unassigned character."""
    return character.isprintable()


def _in_path(character: str) -> bool:
    return unicodedata.category(character)[0] not in "CZ" or character == " "


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
