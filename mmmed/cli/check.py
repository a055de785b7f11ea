"""`mmmed check DATA|STUDY`: what is there, what is missing, what cannot be read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmmed.errors import NothingReadable, PartlyFailed, StudyError

if TYPE_CHECKING:
    from mmmed.pipelines.check import Checked


def check(
    what: Annotated[
        str, typer.Argument(metavar="DATA|STUDY", help="A folder of data, or the name of a study.")
    ],
    cohort: Annotated[
        str | None,
        typer.Option(
            help="How a folder is read: a name in cohorts/. [bids-ad or caps-ad where it has a "
            "diagnosis, else bids-scans or caps-scans]"
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Write ledger.tsv, ledger.png and absence.tsv here. [nothing]"),
    ] = None,
    headers_only: Annotated[
        bool,
        typer.Option(
            "--headers-only", help="Of a folder's volumes read headers alone: quick, and less sure."
        ),
    ] = False,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="key.sub=value of a study; may be repeated.")
    ] = None,
) -> int:
    """Report every fault at once; exit code 8 where there is one."""
    folder = Path(what)
    if folder.is_dir():
        checked = _data(folder, cohort, out, headers_only=headers_only)
    else:
        checked = _study(what, settings or [], out, headers_only=headers_only)
    for line in (*checked.sentences, *(f"fault: {fault}" for fault in checked.faults)):
        typer.echo(line)
    if checked.nothing:
        raise NothingReadable(f"{what}: nothing of it can be read; the reasons stand above")
    if checked.faults:
        raise PartlyFailed(f"{what}: {_counted(len(checked.faults))}, listed above")
    typer.echo(f"{what}: no fault")
    return 0


def _data(folder: Path, cohort: str | None, out: Path | None, *, headers_only: bool) -> Checked:
    from mmmed.cli.progress import Progress

    with Progress() as report:
        from joblib import cpu_count

        from mmmed.pipelines.check import check_data

        return check_data(
            folder,
            cohort=cohort,
            start=Path.cwd(),
            jobs=cpu_count(),
            listener=report,
            out=out,
            depth="headers" if headers_only else "voxels",
        )


def _study(name: str, settings: list[str], out: Path | None, *, headers_only: bool) -> Checked:
    from mmmed import library
    from mmmed.config import nearest

    known = library.names("pipelines", start=Path.cwd())
    if name not in known and not Path(name).is_file():
        raise NothingReadable(
            f"{name}: is neither a folder of data nor a study{nearest(name, known)}"
        )
    if headers_only:
        raise StudyError(
            f"{name}: is a study; --headers-only is for a folder of data: leave it out"
        )
    from mmmed.pipelines.check_study import check_study

    return check_study(name, settings=settings, start=Path.cwd(), out=out)


def _counted(faults: int) -> str:
    return "1 fault" if faults == 1 else f"{faults} faults"
