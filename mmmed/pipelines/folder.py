"""The run folder: chosen, held by one process or by shards of one study, and taken up again.

A folder with `chain.json` is finished; one with `study.yaml` alone is not, and can be resumed by
the same study. Shards share the hold, and take turns where only one may write.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import yaml

from mmmed.errors import MmmedError, RunError
from mmmed.pipelines.keys import flattened
from mmmed.pipelines.resolve import Resolved
from mmmed.record import atomic, chain, digest, lock
from mmmed.record.room import is_full, no_room

STUDY = "study.yaml"


@contextmanager
def opened(
    resolved: Resolved, *, out: Path | None, resume: bool, shared: bool = False
) -> Iterator[Path]:
    """The folder of a run, made or taken up, and held until the block ends.

    Args:
        resolved: the study that is to run.
        out: the folder; by default a new one below `runs/`, or with `resume` the newest
            unfinished one of the same study.
        resume: take up an unfinished run.
        shared: this is a shard: others of the same study may hold the folder too, may have begun
            it, and may have finished it.

    A run that is refused before it left anything leaves no folder either.

    Raises:
        RunError: the folder cannot be written to, is in use, holds something else, or was begun by
            another study.
    """
    run = _chosen(resolved, out=out, resume=resume)
    made = not os.path.exists(run)  # noqa: PTH110 - raises nothing for a name too long
    atomic.made(run, advice="choose another --out")
    again = resume or shared
    _check(run, resolved, resume=again, shared=shared)
    with ExitStack() as hold:
        hold.enter_context(held(run, shared=shared))
        with turn(run):
            _check(run, resolved, resume=again, shared=shared)
            if not (run / STUDY).exists():
                atomic.write_text(run / STUDY, resolved.text())
        try:
            yield run
        except MmmedError:
            hold.close()
            if made or shared:
                _take_away(run)
            raise
        except OSError as error:
            if is_full(error):
                raise no_room(run) from error
            raise
        if is_finished(run):
            shutil.rmtree(run / lock.FOLDER, ignore_errors=True)


@contextmanager
def turn(run: Path) -> Iterator[None]:
    """What only one of several shards may do at a time: write files of the run itself."""
    with lock.awaited(run / lock.FOLDER / "turn"):
        yield


def is_finished(run: Path) -> bool:
    """Whether the run has its report."""
    return (run / chain.NAME).exists()


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
        if not is_finished(path.parent) and digest.of_value(_values(path.parent)) == resolved.digest
    ]
    if not unfinished:
        raise RunError(
            f"runs/{name}-*: no unfinished run of this study with these settings; "
            "name one with --out, or run without --resume"
        )
    return max(unfinished, key=lambda path: (path / STUDY).stat().st_mtime)


def _check(run: Path, resolved: Resolved, *, resume: bool, shared: bool) -> None:
    begun = (run / STUDY).exists()
    if not begun:
        if _names(run):
            raise RunError(f"{run}: is not empty and holds no run; choose another --out")
        return
    differing = differences(_values(run), resolved.values())
    if differing:
        raise RunError(
            "\n".join([f"{run}: was begun with other settings; choose another --out", *differing])
        )
    if is_finished(run) and not shared:
        raise RunError(f"{run}: this run is finished; choose another --out")
    if not resume:
        raise RunError(f"{run}: holds an unfinished run of this study; go on with --resume")


def _take_away(run: Path) -> None:
    """Remove a run that holds at most its study, unless another process has it."""
    with lock.held(run / lock.FOLDER / "run") as alone:
        if alone and _names(run) in ([STUDY], []):
            shutil.rmtree(run)


def _names(run: Path) -> list[str]:
    """What lies in a folder, locks and halves of files aside."""
    return sorted(
        path.name
        for path in run.iterdir()
        if path.name != lock.FOLDER and not path.name.startswith(atomic.UNFINISHED)
    )


def _values(run: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load((run / STUDY).read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise RunError(f"{run}/{STUDY}: cannot be read; choose another --out") from error
    if not isinstance(values, dict):
        raise RunError(f"{run}/{STUDY}: is no study; choose another --out")
    return {key: value for key, value in values.items() if key != "mmmed"}


@contextmanager
def held(run: Path, *, shared: bool) -> Iterator[None]:
    """Hold the folder; the kernel lets go when the process ends, however it ends."""
    with lock.held(run / lock.FOLDER / "run", shared=shared) as got:
        if not got:
            raise RunError(f"{run}: another process is writing this run; wait for it")
        yield
