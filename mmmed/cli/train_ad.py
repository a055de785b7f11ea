"""`mmmed train-ad`: Alzheimer's detection from MRI with or without PET."""

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
    Qc,
    Resume,
    Settings,
    ShardName,
    Verified,
    budget,
    competing,
    proof,
    quoted,
)
from mmmed.errors import StudyError

STUDY = "ad/train"


def train_ad(
    data: Annotated[
        Path | None,
        typer.Argument(
            help="A BIDS or CAPS folder; without it the simulated cohort is written and used."
        ),
    ] = None,
    cohort: Annotated[
        str | None,
        typer.Option(help="How DATA is read: a name in cohorts/. [bids-ad or caps-ad]"),
    ] = None,
    method: Annotated[
        list[str] | None, typer.Option(help="Method to train; may be repeated. [hypermm]")
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(help="File of starting weights of the first method."),
    ] = None,
    baselines: Annotated[
        bool, typer.Option("--baselines/--no-baselines", help="Train the three baselines as well.")
    ] = True,
    cohort_seed: Annotated[
        int | None, typer.Option(help="Seed of the cohort, its splits and what is hidden.")
    ] = None,
    missing_pet: Annotated[
        float | None, typer.Option(help="Share of training PETs hidden. [0.5]", min=0, max=1)
    ] = None,
    test_missing_pet: Annotated[
        str | None, typer.Option(help="Shares of test PETs hidden. [0,0.25,0.5,0.75,1]")
    ] = None,
    folds: Annotated[
        int | None, typer.Option(help="Folds by subject; a folder with a `part` column needs none.")
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
    qc: Qc = False,
    settings: Settings = None,
) -> int:
    """Train HyperMM and three baselines on MRI and PET, and report what each lost PET costs."""
    from mmmed.cli.running import numbers, run_study

    chosen: list[str] = []
    if data is not None:
        name = cohort or _usual(data)
        chosen += [
            f"cohort={{name: {quoted(name)}, root: {quoted(str(data))}}}",
            *_splits(data, folds),
        ]
    elif cohort is not None:
        raise StudyError(f"--cohort {cohort}: says how DATA is read; name DATA as well")
    elif folds is not None:
        chosen.append(f"splits={{kind: folds, folds: {folds}}}")
    chosen.append(competing(method, baselines=baselines))
    if weights is not None:
        chosen.append(f"methods.0.weights={quoted(weights)}")
    if missing_pet is not None:
        chosen.append(f"protocols.train.0.rate={missing_pet}")
    if test_missing_pet is not None:
        rates = numbers(test_missing_pet, "--test-missing-pet")
        chosen.append(f"protocols.test.1.rate=[{rates}]")
    if cohort_seed is not None:
        chosen += _seeded(cohort_seed, simulated=data is None)
    if seeds is not None:
        chosen.append(f"seeds=[{numbers(seeds, '--seeds')}]")
    last = budget(devices=devices, nodes=nodes, precision=precision)
    return run_study(
        STUDY,
        settings=[*chosen, *(settings or []), *last, *proof(verify_mask)],
        out=out,
        device=device,
        jobs=jobs,
        backend=backend,
        address=address,
        shard=shard,
        resume=resume,
        qc=qc,
    )


def _usual(data: Path) -> str:
    """How a folder is read where nobody says; told, as a folder may hold more than it seems."""
    from mmmed.cohorts.layout import layout

    found = layout(data)
    name = f"{found.lower()}-ad"
    typer.echo(f"{data}: taken as {found}, read as cohorts/{name}.yaml says", err=True)
    return name


def _seeded(seed: int, *, simulated: bool) -> list[str]:
    settings = [
        f"splits.seed={seed}",
        f"protocols.train.0.seed={seed}",
        f"protocols.test.1.seed={seed}",
    ]
    return [*settings, f"cohort.seed={seed}"] if simulated else settings


def _splits(data: Path, folds: int | None) -> list[str]:
    """Folds for real data, unless the folder itself says who belongs to which part."""
    if folds is None and _has_parts(data / "participants.tsv"):
        return []
    return [f"splits={{kind: folds, folds: {folds or 5}}}"]


def _has_parts(participants: Path) -> bool:
    try:
        with participants.open(encoding="utf-8") as file:
            return "part" in file.readline().rstrip("\n").split("\t")
    except OSError:
        return False
