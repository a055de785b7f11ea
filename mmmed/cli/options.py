"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Out = Annotated[Path | None, typer.Option(help="The run folder. [runs/<study>-<time>]")]
Device = Annotated[str, typer.Option(help="cpu, cuda, cuda:N, mps or auto.")]
Jobs = Annotated[
    int | None, typer.Option(help="Jobs at a time. [cores // training.threads]", min=1)
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with an unfinished run.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", help="key.sub=value of the study; may be repeated.")
]
