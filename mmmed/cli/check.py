"""`mmmed check DATA|STUDY`: what is there, what is missing, what cannot be read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from mmmed.errors import PartlyFailed


def check(
    what: Annotated[
        str, typer.Argument(metavar="DATA|STUDY", help="A folder of data, or the name of a study.")
    ],
    cohort: Annotated[
        str, typer.Option(help="How a folder is read: a name in cohorts/.")
    ] = "bids-ad",
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="key.sub=value of a study; may be repeated.")
    ] = None,
) -> int:
    """Report every fault at once; exit code 8 where there is one."""
    if Path(what).is_dir():
        return _data(Path(what), cohort)
    return _study(what, settings or [])


def _study(name: str, settings: list[str]) -> int:
    from mmmed.pipelines.resolve import resolve
    from mmmed.pipelines.study import load_study

    resolved = resolve(load_study(name, settings=settings, start=Path.cwd()), start=Path.cwd())
    typer.echo(f"{name}: no fault; digest {resolved.digest[:16]}")
    return 0


def _data(folder: Path, cohort: str) -> int:
    from mmmed.cli.progress import Progress

    with Progress() as report:
        from mmmed.cohorts.ledger import look, sentences
        from mmmed.pipelines.materialise import read_data

        found = look(
            read_data(folder, cohort, start=Path.cwd()),
            jobs=len(os.sched_getaffinity(0)),
            progress=lambda done, total: report("reading", done, total),
        )
    typer.echo("\n".join(sentences(found)))
    if found.faults:
        raise PartlyFailed(f"{folder}: {len(found.faults)} faults, listed above")
    return 0
