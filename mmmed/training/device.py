"""Where models compute: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`."""

from __future__ import annotations

import re
from dataclasses import dataclass

import torch

from mmmed.errors import StudyError

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


def place(device: str, *, count: int) -> Place:
    """What a name means to the trainer.

    Args:
        device: its name.
        count: devices to train on.

    Raises:
        StudyError: there is no such device here, or one is named and several are to be used.
    """
    match = _NAMES.fullmatch(device)
    if match is None:
        raise StudyError(f"--device {device}: write auto, cpu, cuda, cuda:N or mps")
    kind = device.partition(":")[0]
    index = int(match["chosen"][1:]) if match["chosen"] else 0
    if kind == "cuda" and index >= torch.cuda.device_count():
        raise StudyError(
            f"--device {device}: torch sees {torch.cuda.device_count()} CUDA devices; "
            "choose another or cpu"
        )
    if kind == "mps" and not torch.backends.mps.is_available():
        raise StudyError("--device mps: torch sees no such device; choose another or cpu")
    if not match["chosen"]:
        return Place("gpu" if kind == "cuda" else kind, count)
    if count > 1:
        raise StudyError(f"--device {device}: is one device; training.devices is {count}")
    return Place("gpu", [index])
