"""Lock files: the kernel lets go of one however its holder ends, and tells other machines too.

A lock is a file of its own, open for writing: over NFS a folder cannot be locked. Its text says who
holds it, and stays where the holder was killed.
"""

from __future__ import annotations

import errno
import fcntl
import os
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mmmed.errors import RunError

FOLDER = ".locks"
"""Where the lock files of a run lie; they are no record of it."""
POLL_SECONDS = 0.1
_BUSY = (errno.EWOULDBLOCK, errno.EACCES)


@contextmanager
def held(path: Path, *, shared: bool = False) -> Iterator[bool]:
    """Hold a lock until the block ends, if nobody else does; False where somebody does.

    Args:
        path: the lock file, made where it is missing.
        shared: others may hold it too, if all of them share.

    Raises:
        RunError: the file system has no locks.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        got = _taken(handle, path, shared=shared)
        signed = got and not shared
        if signed:
            _sign(handle)
        try:
            yield got
        finally:
            if signed:
                os.ftruncate(handle, 0)
    finally:
        os.close(handle)


@contextmanager
def awaited(path: Path, *, alive: Callable[[], None] | None = None) -> Iterator[bool]:
    """Hold a lock until the block ends, whoever holds it before; whether there was a wait.

    Args:
        path: the lock file.
        alive: called now and then while this waits; it raises to give up.
    """
    waited = False
    while True:
        with held(path) as got:
            if got:
                yield waited
                return
        waited = True
        if alive is not None:
            alive()
        time.sleep(POLL_SECONDS)


def is_held(path: Path) -> bool:
    """Whether anybody holds the lock for itself."""
    if not path.exists():
        return False
    with held(path, shared=True) as got:
        return not got


def is_signed(path: Path) -> bool:
    """Whether the last holder holds it still, or was killed while it did."""
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


def _taken(handle: int, path: Path, *, shared: bool) -> bool:
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _BUSY:
            return False
        raise RunError(
            f"{path.parent}: files here cannot be locked ({error.strerror}); "
            "choose another --out, on a file system with locks"
        ) from error
    return True


def _sign(handle: int) -> None:
    with suppress(OSError):  # on a full disk the lock holds without a name
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{platform.node()} {os.getpid()}\n".encode(), 0)
