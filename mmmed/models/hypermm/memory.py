"""What a frozen network makes of an item, remembered by the bytes of both.

A frozen network gives one answer per item, so asking it again at every look is wasted. The answer
is forgotten when the network's own tensors change, and the oldest go first where memory is full.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable

import torch
from torch import Tensor, nn

LIMIT = 256 * 2**20
"""Bytes of answers that are kept."""


class Memory:
    """Answers of one network, kept on the CPU.

    Args:
        network: whose tensors decide the answers.
        limit: bytes of answers that are kept.
    """

    def __init__(self, network: nn.Module, *, limit: int = LIMIT) -> None:
        self._network = network
        self._limit = limit
        self._answers: OrderedDict[bytes, Tensor] = OrderedDict()
        self._held = 0
        self._seen: tuple[object, ...] = ()
        self._state = b""

    def __len__(self) -> int:
        return len(self._answers)

    def recall(self, item: Tensor, answer: Callable[[Tensor], Tensor]) -> Tensor:
        """The answer to an item, on the item's device; `answer` is asked where none is known."""
        key = self._key(item)
        found = self._answers.get(key)
        if found is None:
            found = answer(item).detach()
            self._keep(key, found.cpu())
        return found.to(item.device)

    def _key(self, item: Tensor) -> bytes:
        about = f"{item.device.type} {item.dtype} {tuple(item.shape)}".encode()
        return hashlib.blake2b(self._own_state() + about + _bytes(item)).digest()

    def _own_state(self) -> bytes:
        """The digest of the network's tensors, taken anew after something was written to them."""
        tensors = list(self._network.state_dict().values())
        seen = tuple((one.data_ptr(), one._version) for one in tensors)  # noqa: SLF001 torch's own count of writes
        if seen != self._seen:
            self._seen = seen
            self._state = hashlib.blake2b(b"".join(map(_bytes, tensors))).digest()
        return self._state

    def _keep(self, key: bytes, answer: Tensor) -> None:
        self._answers[key] = answer
        self._held += answer.nbytes
        while self._held > self._limit:
            _, oldest = self._answers.popitem(last=False)
            self._held -= oldest.nbytes


def _bytes(tensor: Tensor) -> bytes:
    return tensor.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes()
