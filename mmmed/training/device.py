"""Where models compute: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`."""

from __future__ import annotations

import re
from dataclasses import dataclass

import torch
from joblib import cpu_count

from mmmed.errors import StudyError
from mmmed.training.settings import Precision

_NAMES = re.compile(r"auto|cpu|mps|cuda(?P<chosen>:\d+)?")


@dataclass(frozen=True)
class Place:
    """A device as Lightning's trainer takes it.

    Attributes:
        accelerator: its kind.
        devices: how many of the kind, or the indices of those that were chosen.
    """

    accelerator: str
    devices: int | list[int]


def place(device: str, *, count: int, precision: Precision = "32-true") -> Place:
    """What a name means to the trainer.

    Args:
        device: its name.
        count: devices of this machine to train on; on the CPU they are processes.
        precision: to train in.

    Raises:
        StudyError: there is no such device here or fewer than `count`, one is named and several
            are to be used, or it cannot compute in that precision.
    """
    match = _NAMES.fullmatch(device)
    if match is None:
        raise StudyError(f"--device {device}: write auto, cpu, cuda, cuda:N or mps")
    kind = kind_of(device)
    index = int(match["chosen"][1:]) if match["chosen"] else 0
    if kind == "cuda" and index >= torch.cuda.device_count():
        raise StudyError(
            f"--device {device}: torch sees {torch.cuda.device_count()} CUDA devices; "
            "choose another or cpu"
        )
    if kind == "mps" and not torch.backends.mps.is_available():
        raise StudyError("--device mps: torch sees no such device; choose another or cpu")
    if match["chosen"] and count > 1:
        raise StudyError(f"--device {device}: is one device; training.devices is {count}")
    _require_count(kind, count)
    _require_precision(kind, precision)
    if match["chosen"]:
        return Place("gpu", [index])
    return Place("gpu" if kind == "cuda" else kind, count)


def kind_of(device: str) -> str:
    """`cpu`, `cuda` or `mps`; `auto` is the first of CUDA, MPS and CPU that is there."""
    if device != "auto":
        return device.partition(":")[0]
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _require_count(kind: str, count: int) -> None:
    found = {"cuda": torch.cuda.device_count(), "mps": 1}.get(kind, cpu_count())
    if count > found:
        what = "CPU cores" if kind == "cpu" else f"{kind.upper()} devices"
        raise StudyError(
            f"training.devices is {count}, but this machine has {found} {what}; "
            f"give --devices {found} or fewer"
        )


def _require_precision(kind: str, precision: Precision) -> None:
    if precision == "16-mixed" and kind == "cpu":
        raise StudyError("training.precision is 16-mixed: not on a CPU; give bf16-mixed or 32")
    if precision == "bf16-mixed" and kind == "cuda" and not torch.cuda.is_bf16_supported():
        raise StudyError(
            "training.precision is bf16-mixed: not on this CUDA device; give 16-mixed or 32"
        )
