"""`mmmed train-breakhis`: breast cancer from histopathology at some of four magnifications."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mmmed.cli.options import (
    Address,
    BackendName,
    Device,
    Devices,
    Jobs,
    Nodes,
    Out,
    Precision,
    Resume,
    Settings,
    ShardName,
    Verified,
    budget,
    competing,
    proof,
    quoted,
)

STUDY, OF_SLIDES = "breakhis/train", "breakhis/slides"
CHAIN = "histology"
MODALITIES = ("x40", "x100", "x200", "x400")


def train_breakhis(
    data: Annotated[
        Path | None,
        typer.Argument(
            help="The tree of BreakHis, any folder of images with its names, or one of whole "
            "slides with slides.csv; without it simulated images are written and used."
        ),
    ] = None,
    method: Annotated[
        list[str] | None, typer.Option(help="Method to train; may be repeated. [hypermm]")
    ] = None,
    baselines: Annotated[
        bool, typer.Option("--baselines/--no-baselines", help="Train the three baselines as well.")
    ] = True,
    repeats: Annotated[
        int | None, typer.Option(help="Hold-outs of whole patients, each drawn anew. [5]", min=1)
    ] = None,
    seeds: Annotated[str | None, typer.Option(help="Job seeds, like 0,1,2. [0]")] = None,
    out: Out = None,
    device: Device = "auto",
    devices: Devices = None,
    nodes: Nodes = None,
    precision: Precision = None,
    jobs: Jobs = None,
    backend: BackendName = "loky",
    address: Address = None,
    shard: ShardName = None,
    resume: Resume = False,
    verify_mask: Verified = None,
    settings: Settings = None,
) -> int:
    """Train HyperMM and three baselines on four magnifications, and report every subset of them."""
    from mmmed.cli.running import numbers, run_study

    chosen = [competing(method, baselines=baselines)]
    whole = data is not None and _holds_slides(data)
    if whole:
        chosen.append(f"cohort={{name: slides, root: {quoted(str(data))}}}")
    elif data is not None:
        chosen.append(f"cohort={{name: breakhis, root: {quoted(str(data))}}}")
        chosen.append(f"transforms={{{', '.join(f'{name}: {CHAIN}' for name in MODALITIES)}}}")
    if repeats is not None:
        chosen.append(f"splits.repeats={repeats}")
    if seeds is not None:
        chosen.append(f"seeds=[{numbers(seeds, '--seeds')}]")
    last = budget(devices=devices, nodes=nodes, precision=precision)
    return run_study(
        OF_SLIDES if whole else STUDY,
        settings=[*chosen, *(settings or []), *last, *proof(verify_mask)],
        out=out,
        device=device,
        jobs=jobs,
        backend=backend,
        address=address,
        shard=shard,
        resume=resume,
        qc=whole,
    )


def _holds_slides(data: Path) -> bool:
    """Whether a folder is one of whole slides; images with names of BreakHis are none."""
    from mmmed.cohorts.slide_folder import holds_slides

    return data.is_dir() and holds_slides(data)
