"""`mmmed predict MODEL INPUT --out DIR`: a model package over a folder of cases."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def predict(
    model: Annotated[Path, typer.Argument(help="A model package: the folder with model.json.")],
    data: Annotated[
        Path, typer.Argument(metavar="INPUT", help="A folder like the one it was trained on.")
    ],
    out: Annotated[Path, typer.Option(help="Where predictions.tsv and quarantine.tsv go.")],
    jobs: Annotated[int, typer.Option(help="Processes that prepare images.", min=1)] = 1,
    qc: Annotated[
        bool,
        typer.Option(
            "--qc/--no-qc",
            help="Montages and checks of scans that are registered; the most attended images.",
        ),
    ] = True,
) -> int:
    """Predict every case of a folder under what it owns; refuse the rest with a reason."""
    from mmmed.cli.progress import Progress

    with Progress() as report:
        from mmmed.inference.folder import predict_folder

        counts = predict_folder(model, data, out, jobs=jobs, qc=qc, listener=report)
    typer.echo(str(counts))
    return 0
