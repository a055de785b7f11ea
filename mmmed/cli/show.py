"""`mmmed show STUDY`: a study with everything it names, and where each part came from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mmmed.cli.options import Settings


def show(
    study: Annotated[str, typer.Argument(help="A name below pipelines/, or a path to a .yaml.")],
    settings: Settings = None,
) -> int:
    """Print a study as it would run, with the origin and digest of each of its files."""
    from mmmed import library
    from mmmed.pipelines.resolve import resolve
    from mmmed.pipelines.study import load_study

    here = Path.cwd()
    loaded = load_study(study, settings=settings or [], start=here)
    origin = library.find("pipelines", study, start=here)
    typer.echo(resolve(loaded, start=here, origin=origin).text())
    return 0
