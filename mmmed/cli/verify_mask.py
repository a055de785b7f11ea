"""`mmmed verify-mask RUN`: proof that hidden scans were not used."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mmmed.cli.options import Jobs
from mmmed.cli.progress import Progress
from mmmed.errors import PartlyFailed


def verify_mask(
    run: Annotated[Path, typer.Argument(help="A finished run folder.")],
    retrain: Annotated[
        int, typer.Option(help="Jobs to train again, one method after the other.", min=0)
    ] = 1,
    data: Annotated[
        Path | None, typer.Option(help="The folder of its files, where they were moved.")
    ] = None,
    jobs: Jobs = None,
) -> int:
    """Repeat a run from its raw files with hidden scans replaced; 8 where anything changes."""
    from mmmed.training.quiet import be_quiet

    be_quiet()
    with Progress() as report:
        from mmmed.pipelines.verify_mask.closing import complaints
        from mmmed.pipelines.verify_mask.proof import prove

        verdict, page = prove(run, data=data, retrain=retrain, jobs=jobs, listener=report)
    typer.echo(verdict.sentence)
    for note in verdict.notes:
        typer.echo(note)
    typer.echo(f"report: {page}")
    if wrong := complaints(run, verdict):
        raise PartlyFailed("\n".join(wrong))
    return 0
