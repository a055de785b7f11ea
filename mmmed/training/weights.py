"""`weights.safetensors`: every tensor of a package, named by what it is of. No pickle.

model.*                  the state of the model
mean.*, precision.*      of the embeddings of a modality
surprise.*               where its own form says what a lacking modality might change
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from mmmed.errors import RunError
from mmmed.models.contract import Model
from mmmed.models.rows import make_room
from mmmed.record import atomic, digest
from mmmed.training import manifest
from mmmed.training.counterfactual import Foresight
from mmmed.training.manifest import Manifest
from mmmed.training.statistics import Statistics

NAME = "weights.safetensors"


def write(
    path: Path,
    model: Model,
    statistics: Mapping[str, Statistics],
    foresights: Mapping[str, Foresight],
) -> str:
    """Write the file; its SHA-256."""
    with atomic.replacing(path) as temporary:
        save_file(_tensors(model, statistics, foresights), temporary)
    return digest.of_file(path)


def below(prefix: str, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors whose names begin so, by the rest of their names."""
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }


def read(path: Path, known: Manifest) -> dict[str, torch.Tensor]:
    """The tensors of a file that its manifest knows.

    Raises:
        RunError: it is missing, damaged or another file.
    """
    try:
        if digest.of_file(path) != known.weights:
            raise RunError(f"{path}: is not the file {manifest.NAME} names; take the package again")
        return load_file(path)
    except OSError as error:
        raise RunError(f"{path}: {error.strerror}; take the package again") from error
    except SafetensorError as error:
        raise RunError(f"{path}: is damaged ({error}); take the package again") from error


def fill(model: Model, state: Mapping[str, torch.Tensor]) -> bool:
    """Copy tensors into a model; False where they are not exactly its own.

    `load_state_dict` would add counters of its own to a state that, like safetensors, carries no
    versions of modules.
    """
    make_room(model, state)
    own = model.state_dict()
    if own.keys() != state.keys() or any(own[name].shape != state[name].shape for name in own):
        return False
    for name, tensor in own.items():
        tensor.copy_(state[name])
    return True


def _tensors(
    model: Model, statistics: Mapping[str, Statistics], foresights: Mapping[str, Foresight]
) -> dict[str, torch.Tensor]:
    found = {
        f"model.{name}": value.detach().cpu().contiguous().clone()
        for name, value in model.state_dict().items()
    }
    for name, one in statistics.items():
        found[f"mean.{name}"] = torch.from_numpy(one.mean.copy())
        found[f"precision.{name}"] = torch.from_numpy(np.ascontiguousarray(one.precision))
    for name, foresight in foresights.items():
        if foresight.surprises is not None:
            found[f"surprise.{name}"] = torch.from_numpy(foresight.surprises.copy())
    return found
