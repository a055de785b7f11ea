"""What Lightning and torch remark in training, and nobody who trains could change."""

from __future__ import annotations

import logging
import os
import warnings

TALKATIVE = ("lightning.pytorch", "lightning.fabric")


def be_quiet() -> None:
    """Leave out remarks of this process and of those it starts; warnings stay for the rest.

    Torch reads its level when it is imported: call this before, or it holds for children alone.
    """
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    # Lightning calls what torch has deprecated
    warnings.filterwarnings("ignore", message=".*LeafSpec", category=FutureWarning)
