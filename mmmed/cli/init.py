"""`mmmed init DIR`: a workspace of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def init(
    directory: Annotated[Path, typer.Argument(help="Made where it is missing.")],
) -> int:
    """Copy the shipped cohorts/, transforms/ and pipelines/ into a folder to be edited."""
    from mmmed import library

    written = library.copy(directory)
    typer.echo(f"{len(written)} files in {directory}; commands run below it use them first")
    return 0
