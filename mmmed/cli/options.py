"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

Out = Annotated[Path | None, typer.Option(help="The run folder. [runs/<study>-<time>]")]
Device = Annotated[str, typer.Option(help="cpu, cuda, cuda:N, mps or auto.")]
Jobs = Annotated[
    int | None, typer.Option(help="Jobs at a time. [cores // training.threads]", min=1)
]
BackendName = Annotated[
    str,
    typer.Option("--backend", help="Who runs the jobs: loky (this machine), dask or ray. [loky]"),
]
Address = Annotated[
    str | None,
    typer.Option(help="Of a dask scheduler or ray cluster that runs. [one started here]"),
]
ShardName = Annotated[
    str | None,
    typer.Option(
        "--shard", help="k/n: do this share of the jobs in --out, which n processes share."
    ),
]
Devices = Annotated[
    int | None, typer.Option(help="Devices per machine that train one model together. [1]", min=1)
]
Nodes = Annotated[
    int | None, typer.Option(help="Machines, started by torchrun or Slurm. [1]", min=1)
]
Precision = Annotated[
    str | None, typer.Option(help="32, bf16-mixed or 16-mixed: what a model is trained in. [32]")
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with an unfinished run.")]
Qc = Annotated[
    bool,
    typer.Option(
        "--qc", help="In qc/ a montage of each scan whose chain registers, and slides with tiles."
    ),
]
Verified = Annotated[
    int | None,
    typer.Option(
        "--verify-mask",
        help="Prove before the report that hidden scans were not used; train so many jobs again.",
        min=0,
    ),
]
Settings = Annotated[
    list[str] | None, typer.Option("--set", help="key.sub=value of the study; may be repeated.")
]


BASELINES = ("late-sum", "late-fusion", "early-fusion")


def quoted(text: str) -> str:
    """The text as a YAML scalar that is read back as the same text."""
    return "'" + text.replace("'", "''") + "'"


def competing(method: Sequence[str] | None, *, baselines: bool) -> str:
    """The setting that `--method` and `--baselines` are short for."""
    names = [*(method or ["hypermm"]), *(BASELINES if baselines else ())]
    return f"methods=[{', '.join(f'{{kind: {quoted(one)}}}' for one in dict.fromkeys(names))}]"


def proof(retrain: int | None) -> list[str]:
    """The setting that `--verify-mask` is short for."""
    return [] if retrain is None else [f"verify={{retrain: {retrain}}}"]


def budget(*, devices: int | None, nodes: int | None, precision: str | None) -> list[str]:
    """The settings that `--devices`, `--nodes` and `--precision` are short for."""
    whole = "32-true" if precision == "32" else precision
    named = {"devices": devices, "nodes": nodes, "precision": whole}
    return [f"training.{key}={value}" for key, value in named.items() if value is not None]
