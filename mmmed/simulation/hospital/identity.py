"""Identifiers and dates, made from what they stand for, so that the same seed gives the same."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

FIRST_DAY = datetime(2031, 3, 3)  # noqa: DTZ001 - the scanner's own clock


def uid(*parts: object) -> str:
    """A UID under 2.25 (DICOM PS3.5 B.2), of the digest of some parts."""
    digest = hashlib.sha256("\0".join(map(str, parts)).encode()).digest()
    return f"2.25.{int.from_bytes(digest[:16], 'big')}"


def scan_start(number: int, *, late: bool) -> datetime:
    """When a subject's PET starts: in the morning, or half an hour after midnight."""
    return FIRST_DAY + timedelta(days=number, hours=0.5 if late else 10 + number % 5)
