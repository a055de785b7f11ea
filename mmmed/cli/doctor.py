"""`mmmed doctor`: what this machine has of what mmmed needs."""

from __future__ import annotations

import os
import platform
import re
import shutil
from importlib import metadata
from pathlib import Path

import typer

from mmmed.errors import PartlyFailed

SPACE_WANTED = 2 << 30
"""Bytes: a default run with its cache takes below 1 GiB."""


def doctor() -> int:
    """Print versions, cores, free disk and folders; 8 when something needed is not there."""
    from mmmed import __version__, library

    faults: list[str] = []
    typer.echo(f"mmmed {__version__}, Python {platform.python_version()}, {platform.platform()}")
    typer.echo(f"cores: {len(os.sched_getaffinity(0))}")
    needed = _requirements()
    if not needed:
        faults.append("mmmed itself is not installed, so what it needs is not known: pip install .")
    for name, installed in needed:
        typer.echo(f"{name}: {installed or 'not installed'}")
        if installed is None:
            faults.append(f"{name} is not installed; pip install mmmed brings it")
    workspace = library.workspace(Path.cwd())
    typer.echo(f"library: {library.library()}")
    typer.echo(f"workspace: {workspace or 'none; mmmed init DIR makes one'}")
    for folder in (Path.cwd(), cache_parent()):
        free = shutil.disk_usage(folder).free
        typer.echo(f"free at {folder}: {free / 2**30:.1f} GiB")
        if free < SPACE_WANTED:
            faults.append(f"{folder}: {free / 2**30:.1f} GiB free; a run wants 2")
    if faults:
        raise PartlyFailed("\n".join(faults))
    return 0


def cache_parent() -> Path:
    """The nearest existing folder above the cache."""
    from mmmed.record.cache import folder

    here = folder()
    while not here.exists():
        here = here.parent
    return here


def _requirements() -> list[tuple[str, str | None]]:
    """The packages mmmed needs, with the versions installed; extras are left out.

    Empty where mmmed runs from a clone that was never installed.
    """
    try:
        lines = metadata.requires("mmmed") or []
    except metadata.PackageNotFoundError:
        return []
    needed = [line for line in lines if "extra ==" not in line]
    names = sorted(re.split(r"[^A-Za-z0-9_.-]", line, maxsplit=1)[0] for line in needed)
    return [(name, _installed(name)) for name in names]


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
