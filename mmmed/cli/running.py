"""What `train-ad` and `run` share: run a study with progress, print its table."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import typer

from mmmed.cli.progress import Progress
from mmmed.errors import MmmedError, PartlyFailed, RanksError, StudyError


def run_study(
    name: str,
    *,
    settings: Sequence[str],
    out: Path | None,
    device: str,
    jobs: int | None,
    backend: str,
    address: str | None,
    shard: str | None,
    resume: bool,
    qc: bool,
) -> int:
    """Run a study to its report; 0, or `PartlyFailed` when some jobs failed.

    Raises:
        StudyError: the study or its settings are faulty.
        PartlyFailed: some jobs failed; the report covers the rest.
        RanksError: one of several launched processes failed.
    """
    from mmmed.training.launcher import launched
    from mmmed.training.quiet import be_quiet

    be_quiet()
    rank = launched()
    if rank is not None and not rank.leads:
        _follow(name, settings=settings, device=device, jobs=jobs, speaks=rank.local == 0)
    with Progress() as report:
        report.note(f"{name}: loading the program")
        from mmmed import library
        from mmmed.pipelines import shard as shards
        from mmmed.pipelines.backends import choice
        from mmmed.pipelines.run import run
        from mmmed.pipelines.study import load_study

        here = Path.cwd()
        outcome = run(
            load_study(name, settings=settings, start=here),
            start=here,
            origin=library.find("pipelines", name, start=here),
            out=out,
            device=device,
            jobs=jobs,
            backend=choice.backend(backend, address),
            shard=None if shard is None else shards.shard(shard, out=out),
            resume=resume,
            qc=qc,
            listener=report,
        )
    typer.echo(outcome.table)
    if outcome.finished:
        typer.echo(f"report: {outcome.folder / 'report.html'}")
    if outcome.failed:
        raise PartlyFailed("\n".join(outcome.failed))
    return 0


def _follow(
    name: str, *, settings: Sequence[str], device: str, jobs: int | None, speaks: bool
) -> NoReturn:
    """Take part without a word, but for a fault that no other process of its machine tells."""
    from mmmed import library
    from mmmed.cli.app import INTERRUPTED
    from mmmed.pipelines.follow import follow
    from mmmed.pipelines.study import load_study

    here = Path.cwd()
    code = 0
    try:
        follow(
            load_study(name, settings=settings, start=here),
            start=here,
            origin=library.find("pipelines", name, start=here),
            device=device,
            jobs=jobs,
        )
    except MmmedError as error:
        if speaks or isinstance(error, RanksError):
            raise
        code = error.exit_code
    except KeyboardInterrupt:
        code = INTERRUPTED
    sys.exit(code)


def numbers(text: str, option: str) -> str:
    """`0,0.5,1` checked and respaced.

    Raises:
        StudyError: a part is no number.
    """
    parts = [part.strip() for part in text.split(",")]
    for part in parts:
        try:
            float(part)
        except ValueError as error:
            raise StudyError(f"{option} {text}: {part!r} is no number; write 0,0.5,1") from error
    return ", ".join(parts)
