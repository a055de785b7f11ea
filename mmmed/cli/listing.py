"""`mmmed list`: what there is to choose from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

What = Literal["methods", "cohorts", "transforms", "studies"]


def listing(
    what: Annotated[What | None, typer.Argument(help="One of them; all by default.")] = None,
) -> int:
    """List methods, cohorts, transforms and studies."""
    from mmmed import library

    folders: dict[str, library.Folder] = {
        "cohorts": "cohorts",
        "transforms": "transforms",
        "studies": "pipelines",
    }
    for section in [what] if what else ["methods", *folders]:
        if what is None:
            typer.echo(f"{section}:")
        if section == "methods":
            _methods()
        else:
            for name in library.names(folders[section], start=Path.cwd()):
                typer.echo(f"  {name}")
    return 0


def _methods() -> None:
    from mmmed.models import METHODS

    for method in METHODS:
        phases = f"phases: {', '.join(method.phases)}"
        typer.echo(f"  {method.kind:<13} {method.paper}")
        typer.echo(f"  {'':<13} trained: {method.trained}")
        typer.echo(f"  {'':<13} {phases}; {method.parameters:,} parameters on the demo")
