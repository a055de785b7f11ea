"""`mmmed track RUN`: write a run folder into MLflow again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def track(run: Annotated[Path, typer.Argument(help="A finished run folder.")]) -> int:
    """Rebuild the MLflow tree of a run from its folder (MLFLOW_TRACKING_URI is honoured)."""
    from mmmed.pipelines.track import track_run

    typer.echo(f"tracked as {track_run(run)}")
    return 0
