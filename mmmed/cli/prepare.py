"""`mmmed prepare DATA --out DIR`: scans brought to the template's space, as a BIDS derivative."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mmmed.errors import StudyError

DEFAULTS = {"mri": "raw-mri", "pet": "raw-pet"}
"""Modality -> the chain that its scans go through."""


def prepare(
    data: Annotated[
        Path, typer.Argument(metavar="DATA", help="A BIDS folder, or DICOM in any nesting.")
    ],
    out: Annotated[Path, typer.Option(help="Where the BIDS derivative goes.")],
    chain: Annotated[
        list[str] | None,
        typer.Option(
            help="modality=NAME of transforms/; may be repeated. [mri=raw-mri pet=raw-pet]"
        ),
    ] = None,
    cohort: Annotated[
        str | None,
        typer.Option(
            help="How the folder is read: a name in cohorts/. [bids-scans, or dicom-series for "
            "DICOM]"
        ),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(help="Processes; no byte depends on it. [cores]", min=1)
    ] = None,
) -> int:
    """Bring every scan to MNI152 space, check it, and write those that pass as data again."""
    from mmmed.cli.progress import Progress

    with Progress() as report:
        from joblib import cpu_count

        from mmmed.derivatives.folder import prepare_folder

        outcome = prepare_folder(
            data,
            out,
            chains=_chains(chain or []),
            cohort=cohort,
            start=Path.cwd(),
            jobs=jobs or cpu_count(),
            listener=report,
        )
    typer.echo(f"{outcome}; {out / 'quality.tsv'}")
    return 0


def _chains(named: list[str]) -> dict[str, str]:
    chosen = {}
    for one in named:
        modality, equals, name = one.partition("=")
        if not (modality and equals and name):
            raise StudyError(f"--chain {one}: write modality=NAME, as mri=raw-mri")
        chosen[modality] = name
    return {**DEFAULTS, **chosen}
