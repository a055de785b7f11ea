"""`mmmed run STUDY`: any study of `pipelines/`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def run(
    study: Annotated[str, typer.Argument(help="A name below pipelines/, or a path to a .yaml.")],
    out: Annotated[Path | None, typer.Option(help="The run folder. [runs/<study>-<time>]")] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:N, mps or auto.")] = "auto",
    jobs: Annotated[
        int | None, typer.Option(help="Jobs at a time. [cores // training.threads]", min=1)
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an unfinished run.")] = False,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="key.sub=value of the study; may be repeated.")
    ] = None,
) -> int:
    """Run a study: every method, protocol, fold and seed as a job, then one report."""
    from mmmed.cli.running import run_study

    return run_study(
        study, settings=settings or [], out=out, device=device, jobs=jobs, resume=resume
    )
