"""SHA-256 of files and of plain values."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any


def of_file(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def of_value(value: Any) -> str:
    """The SHA-256 of a plain value (what JSON can hold), independent of the order of keys."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def of_bytes(data: bytes) -> str:
    """The SHA-256 of bytes in memory, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()
