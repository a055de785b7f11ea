"""The most attended items of some test cases."""

from __future__ import annotations

from typing import Any

from mmmed.audit.folder import RunFolder
from mmmed.audit.picture import data_uri
from mmmed.audit.section import Values


def values(run: RunFolder) -> Values | None:
    """One entry per case, with its items in order of attention."""
    cases: dict[str, dict[str, Any]] = {}
    for row in run.attended:
        picture = run.pictures.get(row["picture"])
        entry = cases.setdefault(row["place"], {"row": row, "items": []})
        entry["items"].append({"row": row, "source": picture and data_uri("jpeg", picture)})
    return {"attended": list(cases.values())} if cases else None
