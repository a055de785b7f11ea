"""All randomness is keyed: a pure function of (seed, stream, step), never of what ran before.

stream   what the randomness is for: a phase's name, `order`, `augment`
"""

from __future__ import annotations

import hashlib
import random

import numpy as np
import torch


def key(seed: int, *parts: str | int) -> int:
    """A 63-bit integer, a pure function of the seed and the parts (SHA-256)."""
    text = "\0".join(str(part) for part in (seed, *parts))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def seed_all(seed: int, stream: str, step: int) -> None:
    """Set the global generators of Python, NumPy and torch (and CUDA where it is in use)."""
    value = key(seed, stream, step)
    random.seed(value)
    np.random.seed(value % 2**32)  # noqa: NPY002 - libraries draw from the global generator
    torch.default_generator.manual_seed(value)
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]  # torch leaves it so
        torch.cuda.manual_seed_all(value)
