"""`mmmed schema`: the JSON Schema of the three kinds of YAML."""

from __future__ import annotations

from typing import Annotated, Literal

import typer


def schema(
    folder: Annotated[
        Literal["cohorts", "transforms", "pipelines"], typer.Argument(help="Which kind of YAML.")
    ] = "pipelines",
) -> int:
    """Print the JSON Schema of a kind of YAML, for editors that complete and check it."""
    from mmmed.pipelines.schema import text

    typer.echo(text(folder), nl=False)
    return 0
