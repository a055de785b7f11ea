"""`--backend` and `--address`: which carrier, and where its cluster is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

from mmmed.errors import StudyError

Kind = Literal["loky", "dask", "ray"]
_ADDRESSES = {
    "dask": (re.compile(r"(tcp|tls)://[^\s/]+:\d+"), "tcp://HOST:8786"),
    "ray": (re.compile(r"(ray://)?[^\s/]+:\d+"), "HOST:6379 or ray://HOST:10001"),
}


@dataclass(frozen=True)
class Backend:
    """A carrier and its cluster.

    Attributes:
        kind: `loky` are processes of this machine.
        address: of a scheduler that runs; None starts a cluster on this machine for this study.
    """

    kind: Kind = "loky"
    address: str | None = None


def backend(kind: str, address: str | None) -> Backend:
    """What the two options ask for.

    Raises:
        StudyError: there is no such backend, or the address is none of it.
    """
    for known in get_args(Kind):
        if kind == known:
            _check_address(known, address)
            return Backend(known, address)
    raise StudyError(f"--backend {kind}: write {', '.join(get_args(Kind)[:-1])} or ray")


def _check_address(kind: str, address: str | None) -> None:
    if address is None:
        return
    if kind not in _ADDRESSES:
        raise StudyError(
            f"--address {address}: {kind} works on this machine; add --backend dask or ray"
        )
    form, example = _ADDRESSES[kind]
    if form.fullmatch(address) is None:
        raise StudyError(f"--address {address}: is no address of {kind}; write {example}")
