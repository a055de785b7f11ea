"""Where a training stands: enough to go on bit for bit, in one file that is whole or absent.

The file stays in the job's folder, is read as plain tensors and values (never unpickled into
objects), and is removed when the training is done.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from mmmed.errors import RunError
from mmmed.record import atomic

NAME = "checkpoint.pt"
VERSION = 1


@dataclass(frozen=True)
class Checkpoint:
    """A state between two steps.

    Attributes:
        identity: plain values that a training must share to go on from here.
        phase: index of the phase that runs.
        step: steps of it that are done.
        model: state of the model.
        running: state of the running phase (optimisers, average, best weights); empty at its
            start.
        history: plain values.
        seconds: phase -> wall time of the steps that are done.
    """

    identity: Mapping[str, Any]
    phase: int
    step: int
    model: Mapping[str, Any]
    running: Mapping[str, Any]
    history: list[dict[str, Any]]
    seconds: Mapping[str, float] = field(default_factory=dict)


def save(folder: Path, state: Checkpoint) -> None:
    """Write the checkpoint of a folder, whole or not at all.

    Raises:
        OSError: it cannot be written; given a path instead of a file, torch would not say why.
    """
    with atomic.replacing(folder / NAME) as temporary, temporary.open("wb") as file:
        torch.save({"version": VERSION, **vars(state)}, file)


def load(folder: Path, *, identity: Mapping[str, Any]) -> Checkpoint | None:
    """The checkpoint of a folder; None where there is none.

    Raises:
        RunError: it cannot be read, or is of another training.
    """
    path = folder / NAME
    if not path.exists():
        return None
    try:
        value = torch.load(path, map_location="cpu", weights_only=True)
        if value.pop("version") != VERSION:
            raise RunError(f"{path}: is of another version of mmmed; remove it to train anew")
        state = Checkpoint(**value)
    except (OSError, EOFError, RuntimeError, pickle.UnpicklingError, KeyError, TypeError) as error:
        raise RunError(f"{path}: is no checkpoint; remove it to train anew ({error})") from error
    differing = [name for name in identity if state.identity.get(name) != identity[name]]
    if differing:
        raise RunError(
            f"{path}: was written with another {differing[0]} "
            f"({state.identity.get(differing[0])}, now {identity[differing[0]]}); "
            "remove it to train anew"
        )
    return state


def remove(folder: Path) -> None:
    """Remove the checkpoint of a folder, if there is one."""
    (folder / NAME).unlink(missing_ok=True)
