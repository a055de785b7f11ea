"""`mmmed run STUDY`: any study of `pipelines/`."""

from __future__ import annotations

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
    Qc,
    Resume,
    Settings,
    ShardName,
    Verified,
    budget,
    proof,
)


def run(
    study: Annotated[str, typer.Argument(help="A name below pipelines/, or a path to a .yaml.")],
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
    qc: Qc = False,
    verify_mask: Verified = None,
    settings: Settings = None,
) -> int:
    """Run a study: every method, protocol, fold and seed as a job, then one report."""
    from mmmed.cli.running import run_study

    chosen = budget(devices=devices, nodes=nodes, precision=precision)
    return run_study(
        study,
        settings=[*(settings or []), *chosen, *proof(verify_mask)],
        out=out,
        device=device,
        jobs=jobs,
        backend=backend,
        address=address,
        shard=shard,
        resume=resume,
        qc=qc,
    )
