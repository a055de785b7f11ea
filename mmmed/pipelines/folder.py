"""The run folder: chosen, held by one process, and taken up again.

A folder with `chain.json` is finished; one with `study.yaml` alone is not, and can be resumed by
the same study.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from mmmed.errors import MmmedError, RunError
from mmmed.pipelines.resolve import Resolved
from mmmed.pipelines.track import flattened
from mmmed.record import atomic, chain, digest

STUDY = "study.yaml"


@contextmanager
def opened(resolved: Resolved, *, out: Path | None, resume: bool) -> Iterator[Path]:
    """The folder of a run, made or taken up, and held until the block ends.

    Args:
        resolved: the study that is to run.
        out: the folder; by default a new one below `runs/`, or with `resume` the newest
            unfinished one of the same study.
        resume: take up an unfinished run.

    A run that is refused before it left anything leaves no folder either.

    Raises:
        RunError: the folder cannot be written to, is in use, holds something else, or was begun by
            another study.
    """
    run = _chosen(resolved, out=out, resume=resume)
    made = not os.path.exists(run)  # noqa: PTH110 - raises nothing for a name too long
    atomic.made(run, advice="choose another --out")
    with _held(run):
        _check(run, resolved, resume=resume)
        if not (run / STUDY).exists():
            atomic.write_text(run / STUDY, resolved.text())
        try:
            yield run
        except MmmedError:
            if made and [path.name for path in run.iterdir()] == [STUDY]:
                (run / STUDY).unlink()
                run.rmdir()
            raise


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """The keys in which two resolved studies differ, with both values."""
    before, after = flattened(old), flattened(new)
    return [
        f"{key}: {before.get(key, 'not set')} there, {after.get(key, 'not set')} here"
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
    ]


def _chosen(resolved: Resolved, *, out: Path | None, resume: bool) -> Path:
    if out is not None:
        return out
    name = resolved.study.study.replace("/", "-")
    if not resume:
        return Path("runs") / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
    unfinished = [
        path.parent
        for path in Path("runs").glob(f"{name}-*/{STUDY}")
        if not (path.parent / chain.NAME).exists()
        and digest.of_value(_values(path.parent)) == resolved.digest
    ]
    if not unfinished:
        raise RunError(
            f"runs/{name}-*: no unfinished run of this study with these settings; "
            "name one with --out, or run without --resume"
        )
    return max(unfinished, key=lambda path: (path / STUDY).stat().st_mtime)


def _check(run: Path, resolved: Resolved, *, resume: bool) -> None:
    begun = (run / STUDY).exists()
    if not begun:
        if any(run.iterdir()):
            raise RunError(f"{run}: is not empty and holds no run; choose another --out")
        return
    differing = differences(_values(run), resolved.values())
    if differing:
        raise RunError(
            "\n".join([f"{run}: was begun with other settings; choose another --out", *differing])
        )
    if (run / chain.NAME).exists():
        raise RunError(f"{run}: this run is finished; choose another --out")
    if not resume:
        raise RunError(f"{run}: holds an unfinished run of this study; go on with --resume")


def _values(run: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load((run / STUDY).read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise RunError(f"{run}/{STUDY}: cannot be read; choose another --out") from error
    if not isinstance(values, dict):
        raise RunError(f"{run}/{STUDY}: is no study; choose another --out")
    return {key: value for key, value in values.items() if key != "mmmed"}


@contextmanager
def _held(run: Path) -> Iterator[None]:
    """Hold the folder itself; the kernel lets go when the process ends, however it ends."""
    handle = os.open(run, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise RunError(f"{run}: another process is writing this run; wait for it") from error
    try:
        yield
    finally:
        os.close(handle)
