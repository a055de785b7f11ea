"""The beginning of a simulated folder: it says what it will hold before it holds anything.

So an interrupted call is gone on with by the same settings alone, and no folder holds two cohorts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmmed.errors import StudyError
from mmmed.record import atomic

SETTINGS = "simulation.json"


def begin(out: Path, settings: Mapping[str, Any]) -> bool:
    """Make the folder and write down its settings; whether it had been begun with them before.

    What a killed process left half written is removed.

    Args:
        out: missing, empty, or begun with the same settings.
        settings: plain values on which every byte depends.

    Raises:
        StudyError: the folder holds something else.
        RunError: it cannot be written to.
    """
    marker = out / SETTINGS
    if marker.is_file():
        if _settings(marker) != settings:
            raise StudyError(f"{out}: holds a simulation of other settings; choose another folder")
        for path in out.rglob(f"{atomic.UNFINISHED}*"):
            path.unlink()
        return True
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise StudyError(f"{out}: is not empty; choose another folder")
    atomic.made(out, advice="choose another folder")
    atomic.write_json(marker, settings)
    return False


def _settings(marker: Path) -> object:
    try:
        return json.loads(marker.read_text(encoding="utf-8"))
    except ValueError as error:
        raise StudyError(f"{marker}: is damaged ({error}); choose another folder") from error
