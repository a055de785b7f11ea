"""A section of the report: a partial page, and the values that it shows.

The partial `sections/NAME.html.j2` holds the words; the function beside it in `sections/NAME.py`
reads the values from the run folder. A section without values is left out of the page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mmmed.audit.folder import RunFolder

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Section:
    """One section.

    Attributes:
        name: of its partial, and of its place in the page.
        title: in the list of sections.
        values: what the partial shows of a run; None where the run has nothing to show there.
    """

    name: str
    title: str
    values: Callable[[RunFolder], Values | None]
