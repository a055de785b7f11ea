"""Starting weights from a local file; nothing is downloaded.

The file holds a state dict (or one under `state_dict` or `model`); the prefixes that published
files carry are dropped, entries of heads and decoders are ignored, and every tensor of the network
must be there in its shape. How many batches a batch norm has met is no weight, and torchvision's
files do not say it. MONAI gives the layers of a DenseNet names of their own, and numbers the blocks
of an EfficientNet by stage as well; the names of torchvision and of EfficientNet-PyTorch serve.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from mmmed.errors import StudyError

PREFIXES = ("module.", "swinViT.")
ENVELOPES = ("state_dict", "model")
"""Keys under which published files keep their state dict."""

COUNTER = "num_batches_tracked"
_DENSE_LAYER = re.compile(r"(?P<layer>.*denselayer\d+)\.(?P<kind>norm|conv)\.?(?P<rest>[12]\..*)")
"""A layer as torchvision's files call it, `denselayer1.norm.1.weight` in the older ones."""

_STAGE = re.compile(r"_blocks\.\d+\.(?=\d+\.)")
"""Stage before block; blocks are numbered through all stages."""


def load_weights(network: nn.Module, path: Path) -> None:
    """Fill a network from a file, or raise a StudyError that names the first misfit."""
    fill(network, read_weights(path), path=path)


def fill(network: nn.Module, found: Mapping[str, Tensor], *, path: Path) -> None:
    """Fill a network from tensors by name; `path` is where they came from.

    Raises:
        StudyError: a tensor is missing, or has another shape.
    """
    own = network.state_dict()
    wanted = {name: tensor for name, tensor in own.items() if not name.endswith(COUNTER)}
    names = {name: _in_file(name, found) for name in wanted}
    for name, tensor in wanted.items():
        stated = names[name]
        if stated not in found:
            raise StudyError(f"weights {path}: {stated} is missing; is it a file of this backbone?")
        if found[stated].shape != tensor.shape:
            raise StudyError(
                f"weights {path}: {stated} has shape {tuple(found[stated].shape)}, "
                f"the backbone needs {tuple(tensor.shape)}"
            )
    network.load_state_dict({**own, **{name: found[names[name]] for name in wanted}})


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a file by name.

    Raises:
        StudyError: there is no such file, or it holds something else.
    """
    if not path.is_file():
        raise StudyError(f"weights {path}: no such file; nothing is downloaded")
    try:
        held = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise StudyError(f"weights {path}: not a file of plain tensors") from error
    state = held if isinstance(held, Mapping) else None
    for envelope in ENVELOPES:
        if state is not None and isinstance(state.get(envelope), Mapping):
            state = state[envelope]
    if state is None:
        raise StudyError(f"weights {path}: holds no state dict")
    return {_bare(str(name)): value for name, value in state.items() if isinstance(value, Tensor)}


def _bare(name: str) -> str:
    for prefix in PREFIXES:
        name = name.removeprefix(prefix)
    dense = _DENSE_LAYER.fullmatch(name)
    return "{layer}.layers.{kind}{rest}".format(**dense.groupdict()) if dense else name


def _in_file(name: str, found: Mapping[str, Tensor]) -> str:
    """What a file calls a tensor of the network: its own name, or that without the stage."""
    return name if name in found else _STAGE.sub("_blocks.", name)
