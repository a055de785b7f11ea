"""Where the tiles of the slides were taken."""

from __future__ import annotations

from mmmed.audit.folder import RunFolder
from mmmed.audit.picture import data_uri
from mmmed.audit.section import Values


def values(run: RunFolder) -> Values | None:
    """The overviews."""
    slides = [(name, data_uri("png", png)) for name, png in run.slides.items()]
    return {"slides": slides} if slides else None
