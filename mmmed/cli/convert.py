"""`mmmed convert INPUT OUT`: DICOM in any nesting to NIfTI, sidecars and an index."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mmmed.errors import PartlyFailed, StudyError


def convert(
    data: Annotated[
        Path, typer.Argument(metavar="INPUT", help="A folder of DICOM files, or one file.")
    ],
    out: Annotated[
        Path, typer.Argument(help="A folder: missing, empty, or of an earlier run to take up.")
    ],
    jobs: Annotated[int | None, typer.Option(help="Processes. [cores]", min=1)] = None,
    salt_file: Annotated[
        Path | None,
        typer.Option(
            help="A file of your own, kept secret: the digests that stand for patients are made "
            "with it, so that who knows their IDs cannot compute them. [none]"
        ),
    ] = None,
) -> int:
    """Write every readable series as NIfTI with a sidecar; index.tsv says why not the others."""
    from mmmed.cli.progress import Progress

    with Progress() as report:
        from joblib import cpu_count

        from mmmed.conversion.folder import convert_folder

        counts = convert_folder(
            data, out, jobs=jobs or cpu_count(), salt=_salt(salt_file), listener=report
        )
    typer.echo(f"{counts}; {out / 'index.tsv'} accounts for every file")
    if counts.failed:
        raise PartlyFailed(
            f"{counts.failed} series could not be read this time, as index.tsv says; run again"
        )
    return 0


def _salt(path: Path | None) -> bytes:
    """What a file holds.

    Raises:
        StudyError: it is empty or cannot be read.
    """
    try:
        found = b"" if path is None else path.read_bytes()
    except OSError as error:
        raise StudyError(f"{path}: cannot be read ({error.strerror}); name a file") from error
    if path is not None and not found.strip():
        raise StudyError(f"{path}: is empty; write a long random text into it")
    return found
